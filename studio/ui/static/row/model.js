// A row's model: one list over networks and LoRAs, and the LoRA's strength.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** The options of a select, made anew only where they changed; ``own``: the text is a name. */
  studio.fill = function (select, groups) {
    const key = JSON.stringify(groups);
    if (select.dataset.key === key) return;
    select.dataset.key = key;
    select.replaceChildren(
      ...groups.flatMap(({ title, options }) => {
        const nodes = options.map(({ value, text, title: help, own }) =>
          el(
            "option",
            { value: JSON.stringify(value), title: help || null, translate: own ? "no" : null },
            text,
          ),
        );
        return title ? [el("optgroup", { label: title }, ...nodes)] : nodes;
      }),
    );
  };

  studio.rowEditors.model = function (card) {
    const select = el("select", {
      class: "gs-select gs-model",
      "aria-label": "Model of this row",
      onchange: () => {
        const before = card.parts();
        card.edit(write());
        sayGone(before, card.parts());
      },
    });
    const strength = studio.numberEditor({
      field: studio.fieldOf("ModelRef", "strength"),
      label: "LoRA strength",
      step: 0.05,
      changed: () => card.setParts({ strength: strength.write() }),
    });
    const label = el("label", { class: "gs-strength" }, "×", strength.element);

    /** A network without LoRAs takes the row's further ones away: say which. */
    function sayGone(before, after) {
      const gone = studio.lostParts(before, after);
      if (gone.length) studio.toast(`With its LoRA the row has lost: ${gone.join(", ")}`);
    }

    function write() {
      const [kind, id] = JSON.parse(select.value);
      const parts = card.parts();
      if (kind === "concept") return { model: id };
      if (kind === "lora") {
        const under = card.networkKind(parts.model) === "concept" ? null : parts.model;
        const begins = (lora) => studio.advisedFor(card.entry(lora));
        const next = studio.withOtherLora(parts, id, begins);
        return { model: studio.modelOf({ ...next, model: under }) };
      }
      const model = kind === "base" ? null : id;
      return { model: studio.modelOf({ ...parts, lora: null, loras: [], model }) };
    }
    return {
      element: el("span", { class: "gs-modelling" }, select, label),
      read() {
        const { lora, model, strength: given } = card.parts();
        const current = [card.kind(), lora || model || ""];
        studio.fill(select, card.stack.models.groups(current));
        select.value = JSON.stringify(current);
        label.hidden = card.kind() !== "lora";
        strength.read(given);
      },
      write,
    };
  };
})(window.studio);
