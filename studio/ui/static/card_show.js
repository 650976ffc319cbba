// How a card shows its row: everything here reads the row and changes only what is seen.
(function (studio) {
  "use strict";
  const { el, icon } = studio;

  Object.assign(studio.Card.prototype, {
    takesControl() {
      return (
        this.row.control !== null || (this.kind() !== "concept" && this.stack.controls().length > 0)
      );
    },

    refresh() {
      const row = this.row,
        kind = this.kind();
      this.node.classList.toggle("gs-off", !row.enabled || this.stack.silenced(row));
      this.node.classList.toggle("gs-negative", row.weight < 0);
      this.eye.replaceChildren(icon(row.enabled ? "eye" : "hidden"));
      this.eye.setAttribute("aria-pressed", String(row.enabled));
      this.solo.setAttribute("aria-pressed", String(row.solo));
      this.fillModels();
      this.refreshExtras();
      this.strengthLabel.hidden = kind !== "lora";
      this.strength.refresh();
      const mute = kind === "concept";
      this.prompt.parentElement.hidden = mute;
      this.note.hidden = !mute;
      if (this.prompt.value !== row.prompt) this.prompt.value = row.prompt;
      const trigger = this.trigger();
      this.prompt.placeholder = trigger
        ? `prompt, for example "${trigger}"`
        : "prompt (empty: unconditional)";
      this.refreshSplit();
      this.refreshControl();
      this.refreshWeight();
      this.refreshMore();
      this.grow();
    },

    refreshSplit() {
      const joined = /\sAND\s/.test(this.row.prompt);
      const label = joined
        ? "Join the parts again"
        : "Split into parts at AND, so that decoupling can weigh them";
      this.split.hidden = studio.proposeSplit(this.row.prompt) === this.row.prompt.trim();
      this.split.title = label;
      this.split.setAttribute("aria-label", label);
      this.split.replaceChildren(icon(joined ? "merge" : "split"));
    },

    refreshControl() {
      const control = this.row.control;
      this.thumb.hidden = !this.takesControl();
      this.controlLine.hidden = control === null;
      this.refreshMap();
      const source = this.small(control?.image);
      const label = control?.image
        ? "Replace control image"
        : "Add a control image (click, or drop one here)";
      this.showThumb(source, label);
      if (!control) return;
      const options = this.stack
        .controls()
        .map(({ type, model, title }) => [JSON.stringify([type, model]), title]);
      const current = JSON.stringify([control.type, control.model ?? null]);
      if (!options.some(([value]) => value === current))
        options.push([
          current,
          control.model ? `${control.type} · ${control.model}` : control.type,
        ]);
      this.type.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
      this.type.value = current;
      this.controlStrength.refresh();
    },

    fitSlider() {
      const reach =
        [10, 15, 30, 60, 120, 250, 500, 1000].find(
          (limit) => limit >= Math.max(15, Math.abs(this.row.weight)),
        ) || 1000;
      this.slider.min = -reach;
      this.slider.max = reach;
      this.slider.step = reach > 30 ? 1 : 0.1;
      this.slider.value = this.row.weight;
    },

    refreshWeight() {
      if (
        document.activeElement !== this.slider ||
        Math.abs(this.row.weight) > Number(this.slider.max)
      )
        this.fitSlider();
      const place = 50 + (50 * this.row.weight) / Number(this.slider.max);
      this.slider.style.setProperty("--from", `${Math.min(50, place)}%`);
      this.slider.style.setProperty("--to", `${Math.max(50, place)}%`);
      this.weight.refresh();
    },

    refreshMore() {
      const { range, reference } = this.row;
      this.details.hidden = !this.opened;
      this.more.setAttribute("aria-expanded", String(this.opened));
      for (const box of [this.start, this.end]) box.refresh();
      this.startSlider.value = range[0];
      this.endSlider.value = range[1];
      this.dual.style.setProperty("--from", `${range[0] * 100}%`);
      this.dual.style.setProperty("--to", `${range[1] * 100}%`);
      this.refreshEdited();
      this.refreshShown();
      this.refreshCurve();
      this.refreshMask();
      const named = typeof reference === "object";
      this.reference.value = named ? "prompt" : reference;
      this.referencePrompt.hidden = !named;
      if (named && this.referencePrompt.value !== reference.prompt)
        this.referencePrompt.value = reference.prompt;
      const chips = [];
      if (range[0] > 0 || range[1] < 1)
        chips.push(`${Math.round(range[0] * 100)}–${Math.round(range[1] * 100)} %`);
      chips.push(...this.modelChips(), ...this.shapeChips());
      if (named) chips.push(`vs “${reference.prompt || "∅"}”`);
      else if (reference !== "unconditional") chips.push(`vs ${reference}`);
      this.chips.replaceChildren(
        ...(this.opened ? [] : chips.map((text) => el("span", { class: "gs-chip" }, text))),
      );
    },

    showPlace(index, total) {
      this.index.textContent = String(index + 1);
      this.node.setAttribute("aria-label", `Guidance row ${index + 1}`);
      const [up, down] = this.node.querySelectorAll(".gs-tools .gs-tool");
      up.disabled = index === 0;
      down.disabled = index === total - 1;
    },

    grow() {
      this.prompt.style.height = "auto";
      if (this.prompt.scrollHeight)
        this.prompt.style.height = `${Math.min(160, this.prompt.scrollHeight + 2)}px`;
    },

    /** Sparkline of the row's term over the steps (square root, the first step is large), and its part of the sum of all terms. */
    showShare(norms, cosines, peak, part) {
      const known = Boolean(norms?.some((norm) => norm !== null));
      this.share.hidden = !known;
      if (!known) return;
      const width = 120,
        height = 18,
        step = width / Math.max(1, norms.length - 1);
      const points = norms.map(
        (norm, i) =>
          `${(i * step).toFixed(1)},${(height - 1 - Math.sqrt((norm ?? 0) / (peak || 1)) * (height - 3)).toFixed(1)}`,
      );
      const text = `${Math.round(part * 100)} %`;
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("role", "img");
      svg.setAttribute(
        "aria-label",
        `This row's share of the guidance, step by step: ${text} in all`,
      );
      for (const [name, data] of [
        ["polygon", ["0," + height, ...points, `${width},${height}`]],
        ["polyline", points],
      ]) {
        const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
        shape.setAttribute("points", data.join(" "));
        svg.append(shape);
      }
      const measured = norms
        .map((norm, i) => [norm, cosines?.[i]])
        .filter(([norm, cosine]) => norm !== null && Number.isFinite(cosine));
      const along =
        measured.reduce((sum, [norm, cosine]) => sum + norm * cosine, 0) /
        (measured.reduce((sum, [norm]) => sum + norm, 0) || 1);
      this.share.title = `How much this row moved the last image, from the first step to the last. Cosine with all rows together: ${along.toFixed(2)}`;
      this.share.replaceChildren(
        el(
          "span",
          { class: "gs-share-text" },
          `share ${text} · cos ${along.toFixed(2).replace("-", "−")}`,
        ),
        svg,
      );
    },
  });
})(window.studio);
