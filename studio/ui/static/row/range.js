// The part of the denoising in which a row acts.
(function (studio) {
  "use strict";
  const { el } = studio;

  studio.rowEditors.range = function (card) {
    const field = studio.entryOf("Row", "range");
    const set = (which, value) => {
      const range = [...card.row.range];
      range[which] = value;
      card.edit({ range });
    };
    /** A knob that is pulled stops at the other one. */
    const pull = (which, value) => {
      const other = Number(card.row.range[1 - which]) || 0;
      set(which, which ? Math.max(studio.tidy(value), other) : Math.min(studio.tidy(value), other));
    };
    const box = (label, which) => {
      const editor = studio.numberEditor({
        field,
        label,
        step: 0.05,
        changed: () => set(which, editor.write()),
      });
      return editor;
    };
    const boxes = [box("Start of the range", 0), box("End of the range", 1)];
    const slide = (label, which) =>
      el("input", {
        type: "range",
        min: field.low,
        max: field.high,
        step: 0.05,
        "aria-label": label,
        oninput: (event) => pull(which, Number(event.target.value)),
      });
    const sliders = [
      slide("Start of the range (slider)", 0),
      slide("End of the range (slider)", 1),
    ];
    const order = el("span", { class: "gs-error", role: "alert", hidden: true });
    order.textContent = "The start lies after the end.";
    const dual = el("div", { class: "gs-dual" }, ...sliders);
    return {
      element: el(
        "div",
        { class: "gs-line" },
        el(
          "span",
          { class: "gs-tag", title: "Part of the denoising, 0 = noise, 1 = finished" },
          "Range",
        ),
        boxes[0].element,
        dual,
        boxes[1].element,
        order,
      ),
      read({ range }) {
        boxes.forEach((editor, which) => editor.read(range[which]));
        sliders.forEach((slider, which) => (slider.value = Number(range[which]) || 0));
        order.hidden = !(range[0] > range[1]);
        dual.style.setProperty("--from", `${(Number(range[0]) || 0) * 100}%`);
        dual.style.setProperty("--to", `${(Number(range[1]) || 0) * 100}%`);
      },
      write: () => ({ range: boxes.map((editor) => editor.write()) }),
      chips: ({ range }) =>
        range[0] > 0 || range[1] < 1
          ? [`${Math.round(range[0] * 100)}–${Math.round(range[1] * 100)} %`]
          : [],
    };
  };
})(window.studio);
