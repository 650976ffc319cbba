// The grid of a sweep: a table for each value of the third axis; its cells fill in as they come.
(function (studio) {
  "use strict";
  const { el } = studio;
  const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  const say = (text) => studio.say?.(text) ?? text; // beside values, which are a person's own

  /** The place one step on, which stays inside; pages follow each other line by line. */
  studio.besideCell = function ([column, line, page], [right, down], [columns, lines, pages]) {
    const row = page * lines + line + down;
    if (row < 0 || row >= lines * pages) return [column, line, page];
    const across = Math.min(columns - 1, Math.max(0, column + right));
    return [across, row % lines, Math.floor(row / lines)];
  };

  /** A value of an axis beside the grid. */
  const said = (value, field) =>
    field === "style" && value === "" ? say("none") : studio.valueInWords(value);

  /** What a cell stands for: "ω 0.25, weight of row 2 4". */
  studio.cellInWords = (axes, place, titles) =>
    axes
      .map(
        ({ field, values }, side) =>
          `${say(studio.fieldInWords(field, titles))} ${said(values[place[side]], field)}`,
      )
      .join(", ");

  /**
   * The grid.
   * @param open is called with the place of a cell that was pressed
   * @param titles what fields are called, by their paths
   */
  studio.sweepGrid = function ({ open, titles }) {
    const element = el("div", { class: "gs-sweep-grids" });
    let axes = [];
    let cells = new Map();
    const key = (place) => place.join();
    const sizes = () => [0, 1, 2].map((side) => axes[side]?.values.length ?? 1);

    function enter(node) {
      for (const one of cells.values()) one.tabIndex = one === node ? 0 : -1;
      node?.focus();
    }

    function cell(place) {
      const words = studio.cellInWords(axes, place, titles);
      const node = el("button", {
        type: "button",
        class: "gs-sweep-cell",
        tabindex: "-1",
        "data-place": key(place),
        "aria-label": `${words}: ${say("not made yet")}`,
        "aria-disabled": "true",
        title: words,
        "data-own": "title aria-label",
        onclick: () => node.firstChild && open(place),
        onkeydown: (event) => {
          const step = STEPS[studio.along(event.key)];
          if (!step) return;
          event.preventDefault();
          enter(cells.get(key(studio.besideCell(place, step, sizes()))));
        },
      });
      cells.set(key(place), node);
      return el("td", {}, node);
    }

    function table(page) {
      const [x, y, z] = axes;
      const name = (axis) => say(studio.fieldInWords(axis.field, titles));
      const sides = [name(x), ...(y ? [name(y)] : [])].join(" × ");
      // A text of its own may turn the writing's direction; what is around it stays as it is.
      const apart = (text) => el("span", { dir: "auto" }, text);
      const heads = ({ field, values }) => {
        const whole = values.map((value) => said(value, field));
        return studio
          .wordsApart(whole)
          .map((text, at) => el("span", { dir: "auto", translate: "no", title: whole[at] }, text));
      };
      return el(
        "table",
        { class: "gs-sweep-table" },
        el(
          "caption",
          { translate: "no" },
          ...(z ? [`${name(z)}: `, apart(said(z.values[page], z.field)), ` · ${sides}`] : [sides]),
        ),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            y
              ? el(
                  "th",
                  { scope: "col", class: "gs-sweep-corner", translate: "no" },
                  `${name(y)} ↓`,
                )
              : null,
            ...heads(x).map((head) => el("th", { scope: "col" }, head)),
          ),
        ),
        el(
          "tbody",
          {},
          ...(y ? heads(y) : [null]).map((head, line) =>
            el(
              "tr",
              {},
              y ? el("th", { scope: "row" }, head) : null,
              ...x.values.map((_, column) => cell([column, line, page])),
            ),
          ),
        ),
      );
    }

    return {
      element,
      axes: () => axes,
      sizes,
      /** Draw an empty grid of these axes. */
      read(next) {
        axes = next;
        cells = new Map();
        element.style.setProperty("--columns", sizes()[0]);
        const pages = axes.length ? Array.from({ length: sizes()[2] }, (_, page) => page) : [];
        element.replaceChildren(...pages.map(table));
        const first = cells.values().next().value;
        if (first) first.tabIndex = 0;
      },
      /** Put in pictures: {place, src} each. */
      fill(made) {
        for (const { place, src } of made) {
          const node = cells.get(key(place));
          if (!node || !src) continue;
          node.setAttribute("aria-label", studio.cellInWords(axes, place, titles));
          node.removeAttribute("aria-disabled");
          node.replaceChildren(el("img", { src, alt: "", draggable: "false" }));
        }
      },
      has: (place) => Boolean(cells.get(key(place))?.firstChild),
      focus: (place) => enter(cells.get(key(place))),
      small: (place) => cells.get(key(place))?.querySelector("img")?.src || "",
    };
  };
})(window.studio);
