// More adapters and learned words of a row, and the network under its LoRA.
(function (studio) {
  "use strict";
  const { el, button } = studio;
  const NONE = { value: ["", ""], text: "add …" };

  studio.rowEditors.extras = function (card) {
    let strengths = [];
    const adder = el("select", {
      class: "gs-select gs-adder",
      "aria-label": "Add an adapter or learned words",
      onchange: () => add(),
    });
    const list = el("span", { class: "gs-extras" });
    const network = el("select", {
      class: "gs-select gs-network",
      "aria-label": "Network under the LoRA",
      onchange: () => card.setParts({ model: JSON.parse(network.value)[1] || null }),
    });
    const networkLabel = el("label", { class: "gs-strength" }, "on", network);
    const element = el(
      "div",
      { class: "gs-line gs-adding" },
      el("span", { class: "gs-tag", title: "More adapters and learned words of this row" }, "Also"),
      list,
      adder,
      networkLabel,
    );

    function add() {
      const [kind, id] = JSON.parse(adder.value);
      const strength = studio.advisedFor(card.entry(id));
      const { lora, loras, embeddings } = card.parts();
      adder.selectedIndex = 0;
      if (kind === "words" && !embeddings.includes(id))
        card.setParts({ embeddings: [...embeddings, id] });
      if (kind === "lora" && id)
        card.setParts(
          lora ? { loras: [...loras, { lora: id, strength }] } : { lora: id, strength },
        );
    }

    const setStrength = (place, strength) =>
      card.setParts({
        loras: card.parts().loras.map((one, k) => (k === place ? { ...one, strength } : one)),
      });

    function item(id, box, remove) {
      return el(
        "span",
        { class: "gs-extra" },
        el("span", { class: "gs-extra-name", title: id, translate: "no" }, card.title(id)),
        box ? el("label", { class: "gs-strength" }, "×", box) : null,
        button("close", `Remove ${id}`, remove),
      );
    }

    function show(loras, embeddings) {
      const titled = loras.map(({ lora }) => [lora, card.title(lora)]);
      const key = JSON.stringify([titled, embeddings.map((id) => [id, card.title(id)])]);
      if (list.dataset.key !== key) {
        list.dataset.key = key;
        strengths = loras.map((one, place) => {
          const editor = studio.numberEditor({
            field: studio.fieldOf("AdapterRef", "strength"),
            label: `Strength of ${one.lora}`,
            step: 0.05,
            changed: () => setStrength(place, editor.write()),
          });
          return editor;
        });
        const without = (array, place) => array.filter((_, k) => k !== place);
        list.replaceChildren(
          ...loras.map((one, place) =>
            item(one.lora, strengths[place].element, () =>
              card.setParts({ loras: without(card.parts().loras, place) }),
            ),
          ),
          ...embeddings.map((id) =>
            item(id, null, () =>
              card.setParts({ embeddings: card.parts().embeddings.filter((one) => one !== id) }),
            ),
          ),
        );
      }
      strengths.forEach((editor, place) => editor.read(loras[place].strength));
    }

    return {
      element,
      read() {
        const { lora, loras, model, embeddings } = card.parts();
        const { models } = card.stack;
        const groups = [
          { title: "", options: [NONE] },
          { title: "LoRAs", options: models.options(studio.served.adapters, "lora") },
          { title: "Learned words", options: models.options(["embedding"], "words") },
        ].filter(({ options }) => options.length);
        studio.fill(adder, groups);
        const under = [
          { value: ["", ""], text: "the base" },
          ...models.options(["finetune", "base"], "on"),
        ];
        if (model && !under.some(({ value }) => value[1] === model))
          under.push({ value: ["on", model], text: model, own: true });
        studio.fill(network, [{ title: "", options: under }]);
        network.value = JSON.stringify(model ? ["on", model] : ["", ""]);
        networkLabel.hidden = !lora || under.length < 2;
        adder.hidden = groups.length < 2;
        const empty = !loras.length && !embeddings.length;
        element.hidden =
          card.kind() === "concept" || (adder.hidden && networkLabel.hidden && empty);
        show(loras, embeddings);
      },
      write: () => ({ model: card.row.model }),
      chips: () => studio.modelChips(card.parts()),
    };
  };
})(window.studio);
