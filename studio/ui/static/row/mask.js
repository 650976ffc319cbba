// Where in the picture a row acts: a mask that is uploaded or painted.
(function (studio) {
  "use strict";
  const { el, button } = studio;

  studio.rowEditors.mask = function (card) {
    const picker = studio.picker("Upload a mask (white: the row acts)", (file) => take(file));
    const clear = button("close", "Remove mask", () => card.edit({ mask: "" }));
    async function take(file) {
      const mask = await card.keep(file, picker.node, true);
      if (mask) card.edit({ mask });
    }
    async function ask() {
      const mask = card.row.mask ? await card.stack.images.show(card.row.mask) : "";
      const { size, background } = await studio.underMasks();
      return studio.paint({ title: "Where this row acts", size, background, mask });
    }
    async function paint() {
      const painted = await studio.alone(ask);
      if (painted !== null) card.edit({ mask: painted });
    }
    return {
      element: el(
        "div",
        { class: "gs-line gs-masking" },
        el("span", { class: "gs-tag", title: "Where in the picture the row acts" }, "Mask"),
        picker.node,
        picker.input,
        button("brush", "Paint mask", () => paint()),
        clear,
      ),
      read({ mask }) {
        picker.show(card.small(mask));
        clear.hidden = !mask;
      },
      write: () => ({ mask: card.row.mask }),
      chips: ({ mask }) => (mask ? ["mask"] : []),
    };
  };
})(window.studio);
