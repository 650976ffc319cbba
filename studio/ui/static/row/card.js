// One card of the guidance stack: a view of one row of a preset, put together from editors.
(function (studio) {
  "use strict";
  const { el, button, icon } = studio;
  // Where each editor stands. What the schema has besides follows by itself.
  const MORE = ["range", "extras", "edited", "imagePrompt", "curve", "mask"];
  const MORE_LABEL = "More: adapters, range, curve, mask, reference";

  class Card {
    constructor(row, stack) {
      Object.assign(this, { row, stack, runIndex: null, opened: false, editors: [] });
      this.faulty = ["", ""]; // what the server says is wrong with it, and where
      this.build();
      this.refresh();
    }

    make(name) {
      const editor = studio.rowEditors[name](this);
      this.editors.push(editor);
      return editor;
    }

    build() {
      this.index = el("span", { class: "gs-index" });
      this.handle = el(
        "span",
        {
          class: "gs-handle",
          title: "Drag to reorder (or Alt+↑ / Alt+↓)",
          draggable: "true",
        },
        icon("grip"),
        this.index,
      );
      this.text = this.make("prompt");
      this.prompt = this.text.area;
      this.control = this.make("control");
      this.drop = el(
        "div",
        { class: "gs-line gs-prompting" },
        this.control.element,
        this.text.element,
      );
      this.body = el(
        "div",
        { class: "gs-card-body" },
        this.drop,
        this.text.below,
        this.control.below,
      );
      this.fault = el("p", { class: "gs-error gs-card-fault", role: "alert", hidden: true });
      this.node = el(
        "div",
        { class: "gs-card", role: "listitem" },
        this.buildBar(),
        this.body,
        this.buildWeight(),
        this.buildMore(),
        this.fault,
      );
      this.buildDragging();
    }

    buildBar() {
      const { stack } = this;
      this.tools = {
        up: button("up", "Move row up", () => stack.move(this, -1)),
        down: button("down", "Move row down", () => stack.move(this, 1)),
      };
      const tools = el(
        "div",
        { class: "gs-tools" },
        this.tools.up,
        this.tools.down,
        button("copy", "Duplicate row", () => stack.duplicate(this)),
        button("trash", "Delete row", () => stack.remove(this)),
      );
      this.chooser = stack.bulk.box(this);
      return el(
        "div",
        { class: "gs-bar" },
        this.chooser,
        this.handle,
        this.make("flags").element,
        this.make("model").element,
        this.text.status,
        tools,
      );
    }

    buildWeight() {
      this.more = el(
        "button",
        {
          type: "button",
          class: "gs-tool gs-more",
          "aria-expanded": "false",
          title: MORE_LABEL,
          "aria-label": MORE_LABEL,
          onclick: () => this.open(!this.opened),
        },
        icon("tune"),
      );
      this.chips = el("span", { class: "gs-chips" });
      this.share = studio.shareView();
      const weight = this.make("weight").element;
      weight.append(this.more);
      return el(
        "div",
        { class: "gs-card-weight" },
        weight,
        el("div", { class: "gs-foot" }, this.share.element, this.chips),
      );
    }

    buildMore() {
      const generic = Object.values(studio.served.leaves).map((field) => {
        const editor = studio.genericEditor(this, field);
        this.editors.push(editor);
        return editor.element;
      });
      const known = MORE.map((name) => {
        const editor = this.make(name);
        if (name === "imagePrompt") this.shown = editor;
        if (name === "edited") this.edited = editor;
        return editor.element;
      });
      const reference = this.make("reference").element;
      this.details = el("div", { class: "gs-details" }, ...known, ...generic, reference);
      return this.details;
    }

    buildDragging() {
      this.handle.addEventListener("dragstart", (event) => this.stack.dragStart(this, event));
      this.handle.addEventListener("dragend", () => this.stack.dragEnd());
      this.node.addEventListener("keydown", (event) => {
        if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
        event.preventDefault();
        this.stack.move(this, event.key === "ArrowUp" ? -1 : 1);
      });
      studio.takesPictures(
        this.node,
        () => this.takesControl(),
        (file, own) => (own ? this.control.take(file) : this.control.drop(file)),
      );
    }

    // -- what editors ask of their card ---------------------------------------------------------
    edit(changes) {
      Object.assign(this.row, changes);
      this.refresh();
      this.stack.commit();
    }

    open(opened) {
      this.opened = opened;
      this.refresh();
      this.showFault(...this.faulty); // what its fields said in sight they say no more, or again
    }

    refresh() {
      const { row } = this;
      this.node.classList.toggle("gs-off", !row.enabled || this.stack.silenced(row));
      this.node.classList.toggle("gs-negative", row.weight < 0);
      this.details.hidden = !this.opened;
      this.more.setAttribute("aria-expanded", String(this.opened));
      for (const editor of this.editors) editor.read(row);
      const chips = this.opened ? [] : this.editors.flatMap((one) => one.chips?.(row) || []);
      this.chips.replaceChildren(...chips.map((text) => el("span", { class: "gs-chip" }, text)));
    }

    parts() {
      return studio.modelParts(this.row.model, (id) => this.entry(id)?.kind);
    }

    setParts(changes) {
      this.edit({ model: studio.modelOf({ ...this.parts(), ...changes }) });
    }

    entry(id) {
      return this.stack.models.entryOf(id);
    }

    title(id) {
      return this.entry(id)?.title || id;
    }

    networkKind(id) {
      const kind = this.entry(id)?.kind;
      return kind === "base" ? "pipeline" : kind || "other";
    }

    /** base, lora, or the kind of the row's own network. */
    kind() {
      const { lora, model } = this.parts();
      if (lora) return "lora";
      return model ? this.networkKind(model) : "base";
    }

    takesControl() {
      const open = this.kind() !== "concept" && this.stack.models.controlNets().length > 0;
      return this.row.control !== null || open;
    }

    /** Words that this row's models have learned. */
    ownWords() {
      const { lora, loras, model, embeddings } = this.parts();
      const ids = [
        lora,
        ...loras.map((one) => one.lora),
        model,
        ...embeddings,
        this.stack.models.base,
      ];
      return studio.learnedWords(ids.map((id) => this.entry(id)?.trigger));
    }

    /** The ids of what a text can call and this row has. */
    has() {
      const { lora, loras, embeddings } = this.parts();
      return [lora, ...loras.map((one) => one.lora), ...embeddings];
    }

    /** The models that a text calls and that this row has not. */
    calls(text) {
      const { models } = this.stack;
      return studio.calledModels(text, models.all, (entry) => models.fits(entry), this.has());
    }

    trigger() {
      return this.row.model === null ? "" : this.ownWords().join(" ");
    }

    /** Keep a file among the studio's images; its reference, or null. */
    async keep(file, thumb, mask = false) {
      if (!file) return null;
      thumb.classList.add("gs-busy");
      const answer = await this.stack.images.store(file, mask);
      thumb.classList.remove("gs-busy");
      if (answer.error) studio.toast(answer.error);
      return answer.image || null;
    }

    small(image) {
      if (!image) return image;
      return this.stack.images.thumbs[image] || (image.startsWith("data:image/") ? image : "");
    }

    /** Of many rows most keep their place: what is written anew is laid out anew. */
    showPlace(index, total) {
      const place = `${index} ${index === total - 1}`;
      if (place === this.place) return;
      this.place = place;
      this.index.textContent = String(index + 1);
      this.node.setAttribute("aria-label", `Guidance row ${index + 1}`);
      this.chooser.setAttribute("aria-label", `Choose row ${index + 1}`);
      this.tools.up.disabled = index === 0;
      this.tools.down.disabled = index === total - 1;
      for (const editor of this.editors) editor.vary?.show(); // by the row's number
    }

    /** What the server says is wrong with this row, unless an editor in sight says so itself. */
    showFault(text, path) {
      this.faulty = [text, path];
      const folded = !this.opened || !this.body.offsetParent;
      const own = [...this.node.querySelectorAll(".gs-error:not([hidden])")].some(
        (one) => one !== this.fault && one.offsetParent,
      );
      const name = studio.partOfRow(path);
      this.fault.textContent = name && folded ? `${name}: ${text}` : text;
      this.fault.hidden = !text || own;
    }

    /** To the prompt, or to the model where the row takes none. */
    focus() {
      const model = this.node.querySelector(".gs-model");
      (this.kind() === "concept" ? model : this.prompt).focus();
    }
  }

  const ENDS = { "range, 0": "start of the range", "range, 1": "end of the range" };
  /** What a part of a row is called, by its place there; studio/ui/errors.py says the same. */
  studio.partOfRow = function (path) {
    const name = path.replaceAll("_", " ").replaceAll(".", ", ");
    const further = name.replace(/^controls, (\d+)/, (_, at) => `control ${Number(at) + 2}`);
    if (further !== name) return further;
    const point = name.match(/^curve, (\d+)(, \d+)?$/);
    return point ? `point ${Number(point[1]) + 1} of the curve` : (ENDS[name] ?? name);
  };

  studio.Card = Card;
})(window.studio);
