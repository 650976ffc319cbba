// A row's model in full: network, adapters with strengths, learned words.
(function (studio) {
  "use strict";
  const { el, button } = studio;
  const NOTHING = { lora: null, strength: 1, loras: [], model: null, embeddings: [] };

  Object.assign(studio.Card.prototype, {
    /** The row's model with every part present. */
    parts() {
      const { model } = this.row;
      if (typeof model !== "string") return { ...NOTHING, ...(model || {}) };
      const kind = this.entry(model)?.kind;
      if (kind === "embedding") return { ...NOTHING, embeddings: [model] };
      return {
        ...NOTHING,
        ...(["lora", "custom-diffusion"].includes(kind) ? { lora: model } : { model }),
      };
    },

    /** Change parts of it; what is left is kept in its shortest form. */
    setParts(changes) {
      const parts = { ...this.parts(), ...changes };
      if (!parts.lora && parts.loras.length) {
        const [first, ...others] = parts.loras;
        Object.assign(parts, { lora: first.lora, strength: first.strength, loras: others });
      }
      if (!parts.lora) parts.strength = 1;
      const whole = Object.fromEntries(
        Object.entries(parts).filter(
          ([name, value]) =>
            JSON.stringify(value) !== JSON.stringify(NOTHING[name]) ||
            (name === "strength" && parts.lora),
        ),
      );
      const names = Object.keys(whole);
      this.edit({
        model: !names.length ? null : names.length === 1 && whole.model ? whole.model : whole,
      });
    },

    entry(id) {
      return this.stack.models.find((entry) => entry.id === id);
    },

    networkKind(id) {
      const kind = this.entry(id)?.kind;
      return kind === "base" ? "pipeline" : kind || "other";
    },

    /** base, lora, or the kind of the row's own network. */
    kind() {
      const { lora, model } = this.parts();
      return lora ? "lora" : model ? this.networkKind(model) : "base";
    },

    fillModels() {
      const { lora, model } = this.parts(),
        current = [this.kind(), lora || model || ""];
      this.fill(this.model, this.stack.modelGroups(current));
      this.model.value = JSON.stringify(current);
    },

    /** The options of a select, made anew only where they changed. */
    fill(select, groups) {
      const key = JSON.stringify(groups);
      if (select.dataset.key === key) return;
      select.dataset.key = key;
      select.replaceChildren(
        ...groups.flatMap(({ title, options }) => {
          const nodes = options.map(({ value, text }) =>
            el("option", { value: JSON.stringify(value) }, text),
          );
          return title ? [el("optgroup", { label: title }, ...nodes)] : nodes;
        }),
      );
    },

    pickModel() {
      const [kind, id] = JSON.parse(this.model.value),
        { model } = this.parts();
      if (kind === "concept") this.edit({ model: id, control: null });
      else if (kind === "lora")
        this.setParts({ lora: id, model: this.networkKind(model) === "concept" ? null : model });
      else this.setParts({ lora: null, loras: [], model: kind === "base" ? null : id });
    },

    trigger() {
      const { lora, loras, model, embeddings } = this.parts();
      const ids = [lora, ...loras.map((one) => one.lora), model, ...embeddings];
      return [...new Set(ids.map((id) => this.entry(id)?.trigger).filter(Boolean))].join(" ");
    },

    // -- more adapters and words ----------------------------------------------------------------
    buildExtras() {
      this.adder = el("select", {
        class: "gs-select",
        "aria-label": "Add an adapter or learned words",
        onchange: () => this.addExtra(),
      });
      this.extras = el("span", { class: "gs-extras" });
      this.network = el("select", {
        class: "gs-select",
        "aria-label": "Network under the LoRA",
        onchange: () => this.setParts({ model: JSON.parse(this.network.value)[1] || null }),
      });
      this.networkLabel = el("label", { class: "gs-strength" }, "on", this.network);
      this.extrasLine = el(
        "div",
        { class: "gs-line gs-adding" },
        el(
          "span",
          { class: "gs-tag", title: "More adapters and learned words of this row" },
          "Also",
        ),
        this.extras,
        this.adder,
        this.networkLabel,
      );
      return this.extrasLine;
    },

    addExtra() {
      const [kind, id] = JSON.parse(this.adder.value),
        { lora, loras, embeddings } = this.parts();
      this.adder.selectedIndex = 0;
      if (kind === "words" && !embeddings.includes(id))
        this.setParts({ embeddings: [...embeddings, id] });
      if (kind === "lora" && id)
        this.setParts(
          lora ? { loras: [...loras, { lora: id, strength: 1 }] } : { lora: id, strength: 1 },
        );
    },

    refreshExtras() {
      const { lora, loras, model, embeddings } = this.parts(),
        concept = this.kind() === "concept";
      const groups = [
        { title: "", options: [{ value: ["", ""], text: "add …" }] },
        { title: "LoRAs", options: this.stack.modelOptions(["lora", "custom-diffusion"], "lora") },
        { title: "Learned words", options: this.stack.modelOptions(["embedding"], "words") },
      ].filter(({ options }) => options.length);
      this.fill(this.adder, groups);
      const networks = [
        {
          title: "",
          options: [
            { value: ["", ""], text: "the base" },
            ...this.stack.modelOptions(["finetune", "base"], "on"),
          ],
        },
      ];
      if (model && !networks[0].options.some(({ value }) => value[1] === model))
        networks[0].options.push({ value: ["on", model], text: model });
      this.fill(this.network, networks);
      this.network.value = JSON.stringify(model ? ["on", model] : ["", ""]);
      this.networkLabel.hidden = !lora || networks[0].options.length < 2;
      this.adder.hidden = groups.length < 2;
      this.extrasLine.hidden =
        concept ||
        (this.adder.hidden && this.networkLabel.hidden && !loras.length && !embeddings.length);
      this.showExtras(loras, embeddings);
    },

    showExtras(loras, embeddings) {
      const title = (id) => this.entry(id)?.title || id;
      const key = JSON.stringify([
        loras.map(({ lora }) => [lora, title(lora)]),
        embeddings.map(title),
      ]);
      if (this.extras.dataset.key === key) {
        this.strengths.forEach((box) => box.refresh());
        return;
      }
      this.extras.dataset.key = key;
      this.strengths = loras.map((one, i) =>
        studio.numberBox(
          `Strength of ${one.lora}`,
          () => this.parts().loras[i]?.strength ?? 1,
          (value) =>
            this.setParts({
              loras: this.parts().loras.map((other, k) =>
                k === i ? { ...other, strength: value } : other,
              ),
            }),
          -4,
          4,
          0.05,
        ),
      );
      const part = (id, box, remove) =>
        el(
          "span",
          { class: "gs-extra" },
          el("span", { class: "gs-extra-name", title: id }, title(id)),
          box ? el("label", { class: "gs-strength" }, "×", box) : null,
          button("close", `Remove ${id}`, remove),
        );
      this.extras.replaceChildren(
        ...loras.map((one, i) =>
          part(one.lora, this.strengths[i], () =>
            this.setParts({ loras: this.parts().loras.filter((_, k) => k !== i) }),
          ),
        ),
        ...embeddings.map((id) =>
          part(id, null, () =>
            this.setParts({ embeddings: this.parts().embeddings.filter((other) => other !== id) }),
          ),
        ),
      );
      this.strengths.forEach((box) => box.refresh());
    },

    modelChips() {
      const { loras, model, lora, embeddings } = this.parts();
      return [
        ...loras.map((one) => `+ ${one.lora} × ${studio.tidy(one.strength)}`),
        ...(lora && model ? [`on ${model}`] : []),
        ...embeddings.map((id) => `words of ${id}`),
      ];
    },
  });
})(window.studio);
