// The factor of a weight curve, from the served samples of the named shapes. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  const between = (points, place) => {
    const after = points.findIndex(([at]) => place <= at);
    if (after === 0) return points[0][1];
    if (after < 0) return points.at(-1)[1];
    const [[left, low], [right, high]] = [points[after - 1], points[after]];
    return low + ((high - low) * (place - left)) / (right - left);
  };

  /** The factor of a curve; 0 outside the row's range. ``shapes``: samples over 0…1 by name. */
  studio.curveFactor = function (curve, progress, [start, end], shapes) {
    if (progress < start || progress > end) return 0;
    if (typeof curve !== "string") return between(curve, progress);
    const samples = shapes[curve] || [1, 1];
    const inside = end > start ? (progress - start) / (end - start) : 0;
    return between(
      samples.map((value, i) => [i / (samples.length - 1), value]),
      inside,
    );
  };

  // Where semicolons, or nothing but room, divide the points, a comma within one is a decimal point.
  const SEPARATORS = [/[\s;]+|,\s+/, /[\s,;]+/];
  const pairsOf = (text, separator) =>
    text
      .trim()
      .split(separator)
      .filter(Boolean)
      .map((pair) => pair.split(":").map((one) => Number(one.replace(",", ".") || NaN)));

  /** Points from "0:1, 0.5:2" or "0:1; 0,5:2"; null where the text is not that. */
  studio.parsePoints = function (text, place, factor) {
    const within = (value, { low = -Infinity, high = Infinity }) => value >= low && value <= high;
    const fits = (pairs) =>
      pairs.length &&
      pairs.every(
        (pair, i) =>
          pair.length === 2 &&
          pair.every(Number.isFinite) &&
          within(pair[0], place) &&
          within(pair[1], factor) &&
          (i === 0 || pair[0] > pairs[i - 1][0]),
      );
    return SEPARATORS.map((one) => pairsOf(text, one)).find(fits) ?? null;
  };
  studio.pointsText = (points) => points.map((pair) => pair.join(":")).join(", ");
})(window.studio);
