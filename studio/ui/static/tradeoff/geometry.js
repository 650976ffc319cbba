// Where the points of a plot stand: scales, round ticks, the front's line. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /** Round values from low to high, about `count` of them. */
  studio.roundTicks = function (low, high, count = 5) {
    if (!(high > low)) return [low];
    const raw = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= raw * (1 - 1e-9));
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) =>
      Number(((first + i) * step).toPrecision(10)),
    );
  };

  /** A scale from the values' span, with room around it, to pixels. */
  studio.scaleOf = function (values, start, end) {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 0.5;
    const [from, to] = [low - room, high + room];
    const at = (value) => start + ((value - from) / (to - from)) * (end - start);
    return { at, ticks: studio.roundTicks(from, to) };
  };

  /** What a plot of the points draws, in pixels of a `width` × `height` box. */
  studio.tradeoffPlot = function (points, { width, height, left, right, top, bottom }) {
    if (!points.length) return { dots: [], line: "", x: [], y: [] };
    const across = studio.scaleOf(
      points.map((one) => one.x[0]),
      left,
      width - right,
    );
    const up = studio.scaleOf(
      points.map((one) => one.y[0]),
      height - bottom,
      top,
    );
    const dots = points.map((one, index) => ({
      index,
      x: across.at(one.x[0]),
      y: up.at(one.y[0]),
      kind: one.front !== null ? "front" : one.stopped ? "stopped" : "point",
    }));
    const front = dots
      .filter((dot) => dot.kind === "front")
      .sort((a, b) => points[a.index].front - points[b.index].front);
    return {
      dots,
      line: front.map((dot) => `${dot.x.toFixed(1)},${dot.y.toFixed(1)}`).join(" "),
      x: across.ticks.map((value) => [across.at(value), value]),
      y: up.ticks.map((value) => [up.at(value), value]),
    };
  };

  /** What makes a search of a form the same one, as a short text: all but what is searched (ω, and the
   *  row's weight where that is), the names, the seed and how many images a press makes.
   *  @param form as the page keeps it, a JSON text
   *  @param files pictures of one's own that it is compared with */
  studio.searchKey = function (form, { row, weight, files = [] }) {
    const { omega, name, description, seed, count, ...asked } = JSON.parse(form || "{}");
    const rows = (asked.rows || []).map((one, index) =>
      weight && index === row ? { ...one, weight: null } : one,
    );
    const given = files.map(({ name, size }) => [name, size]);
    const sorted = (_, value) =>
      value && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value;
    return studio.digest(JSON.stringify([{ ...asked, rows }, row, Boolean(weight), given], sorted));
  };

  /** What the button of a search says: it goes on with the one that is shown where that is the same.
   *  @param now the key of the search that a press would begin */
  studio.searchWord = ({ points = [], key }, now) =>
    points.length && key && key === now ? "Search on" : "Search";

  /** A setting in words: {"omega": 0.4, "rows.0.weight": 3} → "ω 0.4 · row 1 × 3". */
  studio.settingText = function (values) {
    return Object.entries(values)
      .map(([path, value]) => {
        const row = path.match(/^rows\.(\d+)\.weight$/);
        const name = path === "omega" ? "ω" : row ? `row ${Number(row[1]) + 1} ×` : path;
        return `${name} ${value}`;
      })
      .join(" · ");
  };
})(window.studio);
