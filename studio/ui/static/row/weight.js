// A row's weight: a zero-centred slider whose reach follows the number.
(function (studio) {
  "use strict";
  const { el } = studio;
  const REACHES = [15, 30, 60, 120, 250, 500, 1000];

  studio.rowEditors.weight = function (card) {
    const field = studio.fieldOf("Row", "weight");
    const slider = el("input", {
      type: "range",
      class: "gs-slider",
      step: 0.1,
      "aria-label": "Weight of this row",
      oninput: () => card.edit({ weight: studio.tidy(Number(slider.value)) }),
      onchange: () => fit(card.row.weight),
    });
    const number = studio.numberEditor({
      field,
      label: "Weight",
      step: 0.5,
      changed: () => card.edit(editor.write()),
    });
    number.box.classList.add("gs-weight");
    const vary = studio.varyRow(card, "weight", field, () => card.row.weight);
    number.box.addEventListener("change", () => fit(card.row.weight));

    function fit(weight) {
      const size = Math.abs(Number(weight)) || 0;
      const reach = REACHES.find((limit) => limit >= size) || REACHES.at(-1);
      slider.min = -reach;
      slider.max = reach;
      slider.step = reach > 30 ? 1 : 0.1;
      slider.value = Number(weight) || 0;
    }
    const editor = {
      element: el(
        "div",
        { class: "gs-line gs-weighing" },
        el("div", { class: "gs-track" }, slider),
        number.element,
        vary.element,
      ),
      read({ weight }) {
        vary.show();
        const shown = Number(weight) || 0;
        if (document.activeElement !== slider || Math.abs(shown) > Number(slider.max)) fit(weight);
        const place = Math.min(100, Math.max(0, 50 + (50 * shown) / Number(slider.max)));
        slider.style.setProperty("--from", `${Math.min(50, place)}%`);
        slider.style.setProperty("--to", `${Math.max(50, place)}%`);
        number.read(weight);
      },
      vary,
      write: () => ({ weight: number.write() }),
    };
    return editor;
  };
})(window.studio);
