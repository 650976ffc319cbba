// A row's weight curve and mask: their editors in the card.
(function (studio) {
  "use strict";
  const { el, button } = studio;

  const CURVES = [
    ["constant", "constant"],
    ["linear_up", "rising"],
    ["linear_down", "falling"],
    ["cosine_up", "rising softly"],
    ["cosine_down", "falling softly"],
    ["points", "own points"],
  ];
  const SHAPES = {
    constant: () => 1,
    linear_up: (u) => u,
    linear_down: (u) => 1 - u,
    cosine_up: (u) => 0.5 - 0.5 * Math.cos(Math.PI * u),
    cosine_down: (u) => 0.5 + 0.5 * Math.cos(Math.PI * u),
  };
  const STEPS = 48;

  /** The factor of a curve, as in studio/curves.py; 0 outside the row's range. */
  studio.curveFactor = function (curve, progress, [start, end]) {
    if (progress < start || progress > end) return 0;
    if (typeof curve === "string")
      return SHAPES[curve](end > start ? (progress - start) / (end - start) : 0);
    const after = curve.findIndex(([place]) => progress <= place);
    if (after === 0) return curve[0][1];
    if (after < 0) return curve.at(-1)[1];
    const [[left, low], [right, high]] = [curve[after - 1], curve[after]];
    return low + ((high - low) * (progress - left)) / (right - left);
  };

  /** Points from "0:1, 0.5:2"; null where the text is not that. */
  studio.parsePoints = function (text) {
    const pairs = text
      .trim()
      .split(/[\s,;]+/)
      .filter(Boolean)
      .map((pair) => pair.split(":").map(Number));
    const fits = pairs.every(
      (pair, i) =>
        pair.length === 2 &&
        pair.every(Number.isFinite) &&
        pair[0] >= 0 &&
        pair[0] <= 1 &&
        pair[1] >= 0 &&
        pair[1] <= 10 &&
        (i === 0 || pair[0] > pairs[i - 1][0]),
    );
    return pairs.length && pairs.length <= 64 && fits ? pairs : null;
  };
  const pointsText = (points) => points.map((pair) => pair.join(":")).join(", ");

  Object.assign(studio.Card.prototype, {
    buildCurve() {
      this.curve = el(
        "select",
        {
          class: "gs-select",
          "aria-label": "Weight curve of this row",
          onchange: () => this.pickCurve(),
        },
        ...CURVES.map(([value, text]) => el("option", { value }, text)),
      );
      this.points = el("input", {
        type: "text",
        class: "gs-text gs-points",
        "aria-label": "Points of the curve, progress:factor",
        title: "progress:factor, from 0 (noise) to 1 (finished), for example 0:0, 0.4:1, 1:0.5",
        spellcheck: "false",
        oninput: () => this.takePoints(),
        onchange: () => this.refreshCurve(),
      });
      this.plot = el("span", { class: "gs-plot" });
      return el(
        "div",
        { class: "gs-line gs-curving" },
        el(
          "span",
          { class: "gs-tag", title: "What the weight is multiplied by as the noise goes away" },
          "Curve",
        ),
        this.curve,
        this.points,
        this.plot,
      );
    },

    pickCurve() {
      const named = this.curve.value !== "points";
      this.edit({
        curve: named
          ? this.curve.value
          : [
              [0, 0],
              [0.3, 1],
              [1, 1],
            ],
      });
      if (!named) this.points.focus();
    },

    takePoints() {
      const points = studio.parsePoints(this.points.value);
      this.points.setAttribute("aria-invalid", String(!points));
      if (points) this.edit({ curve: points });
    },

    refreshCurve() {
      const { curve, range } = this.row,
        named = typeof curve === "string";
      this.curve.value = named ? curve : "points";
      this.points.hidden = named;
      if (!named && document.activeElement !== this.points) {
        this.points.value = pointsText(curve);
        this.points.setAttribute("aria-invalid", "false");
      }
      this.drawCurve(curve, range);
    },

    /** The curve over the whole denoising, its highest point at the top. */
    drawCurve(curve, range) {
      const width = 96,
        height = 24;
      const values = Array.from({ length: STEPS + 1 }, (_, i) =>
        studio.curveFactor(curve, i / STEPS, range),
      );
      const top = Math.max(1, ...values);
      const line = values.map(
        (value, i) =>
          `${((i * width) / STEPS).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
      );
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("aria-hidden", "true");
      const shape = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
      shape.setAttribute("points", line.join(" "));
      svg.append(shape);
      this.plot.replaceChildren(svg);
    },

    // -- mask ---------------------------------------------------------------------------------
    buildMask() {
      const picker = studio.picker("Upload a mask (white: the row acts)", (file) =>
        this.takeMask(file),
      );
      this.showMask = picker.show;
      this.maskThumb = picker.node;
      this.clearMask = button("close", "Remove mask", () => this.edit({ mask: "" }));
      return el(
        "div",
        { class: "gs-line gs-masking" },
        el("span", { class: "gs-tag", title: "Where in the picture the row acts" }, "Mask"),
        picker.node,
        picker.input,
        button("brush", "Paint mask", () => this.paintMask()),
        this.clearMask,
      );
    },

    refreshMask() {
      const { mask } = this.row;
      this.showMask(this.small(mask));
      this.clearMask.hidden = !mask;
    },

    async paintMask() {
      const background = document.querySelector('.gs-stage[data-state="done"] img')?.src || "";
      const mask = this.row.mask ? await this.stack.showImage(this.row.mask) : "";
      const painted = await studio.paint({
        title: "Where this row acts",
        size: studio.pictureSize(),
        background,
        mask,
      });
      if (painted) await this.takeMask(painted);
    },

    async takeMask(file) {
      const mask = await this.keep(file, this.maskThumb, true);
      if (mask) this.edit({ mask });
    },

    /** What a closed card tells of both. */
    shapeChips() {
      const { curve, mask } = this.row,
        chips = [];
      if (typeof curve !== "string") chips.push("curve");
      else if (curve !== "constant")
        chips.push(CURVES.find(([value]) => value === curve)?.[1] || curve);
      if (mask) chips.push("mask");
      return chips;
    },
  });
})(window.studio);
