// A row's weight curve: a named shape, or points of one's own, drawn beside it.
(function (studio) {
  "use strict";
  const { el } = studio;
  const TITLES = studio.titles.rows_curve;
  const STEPS = 48;
  const WIDTH = 96;
  const HEIGHT = 24;
  const BEGUN = [
    [0, 0],
    [0.3, 1],
    [1, 1],
  ];

  /** The curve over the whole denoising, its highest point at the top. */
  function drawing(curve, range) {
    const values = Array.from({ length: STEPS + 1 }, (_, i) =>
      studio.curveFactor(curve, i / STEPS, range, studio.served.curves),
    );
    const top = Math.max(1, ...values);
    const y = (value) => (HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1);
    const points = values.map((value, i) => `${((i * WIDTH) / STEPS).toFixed(1)},${y(value)}`);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("points", points.join(" "));
    svg.append(line);
    return svg;
  }

  studio.rowEditors.curve = function (card) {
    const names = studio.namesOf("Row", "curve");
    const title = (name) => TITLES[name] || name.replaceAll("_", " ");
    const { place, factor } = studio.pointBounds();
    const select = el(
      "select",
      {
        class: "gs-select",
        "aria-label": "Weight curve of this row",
        onchange: () => {
          const named = select.value !== "points";
          card.edit({ curve: named ? select.value : BEGUN });
          if (!named) points.focus();
        },
      },
      ...names.map((name) => el("option", { value: name }, title(name))),
      el("option", { value: "points" }, "own points"),
    );
    const points = el("input", {
      type: "text",
      class: "gs-text gs-points",
      "aria-label": "Points of the curve, progress:factor",
      title: `progress:factor, from 0 (noise) to 1 (finished), factors ${studio.allowed(factor)}; for example 0:0, 0.4:1, 1:0.5`,
      spellcheck: "false",
      oninput: () => {
        const parsed = studio.parsePoints(points.value, place, factor);
        card.edit({ curve: parsed || points.value }); // what is half typed is kept as it stands
      },
      onchange: () => editor.read(card.row),
    });
    const problem = studio.problemOf(points);
    const wrong = `pairs progress:factor, rising from ${place.low} to ${place.high}, factors ${studio.allowed(factor)}; for example 0:0, 0.4:1, 1:0.5`;
    const plot = el("span", { class: "gs-plot" });
    const editor = {
      element: el(
        "div",
        { class: "gs-line gs-curving" },
        el(
          "span",
          { class: "gs-tag", title: "What the weight is multiplied by as the noise goes away" },
          "Curve",
        ),
        select,
        el("span", { class: "gs-boxed gs-pointing" }, points, problem.element),
        plot,
      ),
      read({ curve, range }) {
        const named = names.includes(curve);
        const fits = named || Array.isArray(curve);
        select.value = named ? curve : "points";
        points.hidden = named;
        if (!named && document.activeElement !== points)
          points.value = fits ? studio.pointsText(curve) : curve;
        problem.show(fits ? "" : wrong);
        plot.replaceChildren(...(fits ? [drawing(curve, range)] : []));
      },
      write: () => ({ curve: card.row.curve }),
      chips: ({ curve }) =>
        !names.includes(curve) ? ["curve"] : curve === "constant" ? [] : [title(curve)],
    };
    return editor;
  };
})(window.studio);
