// Pictures that are part of a row's condition: one to edit, and one that is shown to the network.
(function (studio) {
  "use strict";
  const { el, button } = studio;

  studio.rowEditors.edited = function (card) {
    const picker = studio.picker("Picture to edit", (file) => take(file));
    async function take(file) {
      const image = await card.keep(file, picker.node);
      if (image) card.edit({ image });
    }
    const edits = () => card.entry(card.parts().model || card.stack.models.base)?.edits;
    const clear = button("close", "Remove the picture to edit", () => card.edit({ image: "" }));
    const crop = studio.cropButton(
      card.stack.images,
      "Crop the picture to edit",
      () => card.row.image,
      (image) => card.edit({ image }),
    );
    const element = el(
      "div",
      { class: "gs-line" },
      el("span", { class: "gs-tag", title: "What an editing model changes" }, "Picture"),
      picker.node,
      picker.input,
      crop,
      clear,
    );
    return {
      element,
      take,
      fits: () => Boolean(card.row.image || edits()),
      read({ image }) {
        element.hidden = !image && !edits();
        crop.hidden = clear.hidden = !image;
        picker.show(card.small(image));
      },
      write: () => ({ image: card.row.image }),
      chips: ({ image }) => (image ? ["picture"] : []),
    };
  };

  studio.rowEditors.imagePrompt = function (card) {
    const picker = studio.picker("Image prompt: a picture to take after", (file) => take(file));
    const reader = el("select", {
      class: "gs-select gs-reader",
      "aria-label": "IP-Adapter that reads the image prompt",
      onchange: () => card.row.image_prompt && change({ model: chosen() }),
    });
    const strength = studio.numberEditor({
      field: studio.fieldOf("ImagePrompt", "strength"),
      label: "Strength of the image prompt",
      step: 0.05,
      changed: () => change({ strength: strength.write() }),
    });
    const label = el("label", { class: "gs-strength" }, "×", strength.element);
    const crop = studio.cropButton(
      card.stack.images,
      "Crop the image prompt",
      () => card.row.image_prompt?.image,
      (image) => change({ image }),
    );
    const clear = button("close", "Remove the image prompt", () =>
      card.edit({ image_prompt: null }),
    );
    const element = el(
      "div",
      { class: "gs-line" },
      el(
        "span",
        { class: "gs-tag", title: "A picture that the network sees besides the row's text" },
        "Image",
      ),
      picker.node,
      picker.input,
      crop,
      reader,
      label,
      clear,
    );
    const chosen = () => JSON.parse(reader.value || '["", ""]')[1];
    function change(changes) {
      const empty = { image: "", model: chosen(), strength: 1 };
      card.edit({ image_prompt: { ...empty, ...(card.row.image_prompt || {}), ...changes } });
    }
    async function take(file) {
      const image = await card.keep(file, picker.node);
      if (image) change({ image });
    }
    const readers = () => card.stack.models.options(["ip-adapter"], "reader");
    return {
      element,
      take,
      fits: () => card.kind() !== "concept" && readers().length > 0,
      read({ image_prompt: shown }) {
        const options = readers();
        if (shown && !options.some(({ value }) => value[1] === shown.model))
          options.push({ value: ["reader", shown.model], text: shown.model, own: true });
        studio.fill(reader, [{ title: "", options }]);
        if (shown) reader.value = JSON.stringify(["reader", shown.model]);
        element.hidden = !shown && (!options.length || card.kind() === "concept");
        label.hidden = clear.hidden = !shown;
        crop.hidden = !shown?.image;
        strength.read(shown?.strength ?? 1);
        picker.show(card.small(shown?.image));
      },
      write: () => ({ image_prompt: card.row.image_prompt }),
      chips: ({ image_prompt: shown }) => (shown ? ["image prompt"] : []),
    };
  };
})(window.studio);
