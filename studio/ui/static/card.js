// One card of the guidance stack: a view of one row of a preset.
(function (studio) {
  "use strict";
  const { el, button, icon } = studio;

  const REFERENCES = [
    ["unconditional", "unconditional (default)"],
    ["autoguidance", "autoguidance: base under this prompt"],
    ["own", "own weak model"],
    ["prompt", "another prompt"],
  ];
  const STYLE =
    /[,;]?\s+(?=(?:(?:drawn|painted|rendered|made)\s+)?in\s+(?:the\s+|an?\s+)?[^,;]{1,40}?\bstyle\b)/i;
  const GROUND =
    /[,;]?\s+(?=(?:on|against|over)\s+(?:the\s+|an?\s+)?[^,;]{0,30}?\b(?:background|backdrop)\b)/i;

  /** A row as the page holds it: every field present. */
  studio.fullRow = (row) => ({
    prompt: "",
    model: null,
    control: null,
    weight: 5,
    enabled: true,
    solo: false,
    range: [0, 1],
    curve: "constant",
    mask: "",
    image: "",
    image_prompt: null,
    reference: "unconditional",
    ...studio.clone(row || {}),
  });

  /** Parts of a plain prompt, joined by AND; joined ones are made plain again. */
  studio.proposeSplit = function (text) {
    if (/\sAND\s/.test(text))
      return text.replace(/\s+AND\s+/g, " ").replace(/:[+-]?[\d.]+(?=\s|$)/g, "");
    const parts = text
      .trim()
      .split(STYLE)
      .flatMap((part) => part.split(GROUND));
    const found = parts.length > 1 ? parts : text.trim().split(/\s*[,;]\s*/);
    return found
      .map((part) => part.trim())
      .filter(Boolean)
      .join(" AND ");
  };

  const tidy = studio.tidy;

  /** A number box over a getter and a setter; what is typed is kept as it is, and checked. */
  const numberBox = (studio.numberBox = function (label, get, set, low, high, step) {
    const editor = studio.numberEditor({
      field: { kind: "number", low, high },
      label,
      step: step === "any" ? 1 : step,
      changed: () => set(editor.write()),
    });
    editor.element.box = editor.box;
    editor.element.refresh = () => editor.read(get());
    return editor.element;
  });

  class Card {
    constructor(row, stack) {
      this.row = row;
      this.stack = stack;
      this.runIndex = null;
      this.opened = false;
      this.build();
      this.refresh();
    }

    // -- building ---------------------------------------------------------------------------
    build() {
      this.index = el("span", { class: "gs-index" });
      this.handle = el(
        "span",
        { class: "gs-handle", title: "Drag to reorder (or Alt+↑ / Alt+↓)", draggable: "true" },
        icon("grip"),
        this.index,
      );
      this.eye = button("eye", "Row takes part", () => this.edit({ enabled: !this.row.enabled }), {
        class: "gs-tool gs-eye",
      });
      this.solo = el(
        "button",
        {
          type: "button",
          class: "gs-tool gs-solo",
          "aria-label": "Solo: only solo rows take part",
          title: "Solo: only solo rows take part",
          onclick: () => this.edit({ solo: !this.row.solo }),
        },
        "S",
      );
      this.model = el("select", {
        class: "gs-select gs-model",
        "aria-label": "Model of this row",
        onchange: () => this.pickModel(),
      });
      this.strength = numberBox(
        "LoRA strength",
        () => this.parts().strength,
        (value) => this.setParts({ strength: value }),
        -4,
        4,
        0.05,
      );
      this.strengthLabel = el("label", { class: "gs-strength" }, "×", this.strength);
      const tools = el(
        "div",
        { class: "gs-tools" },
        button("up", "Move row up", () => this.stack.move(this, -1)),
        button("down", "Move row down", () => this.stack.move(this, 1)),
        button("copy", "Duplicate row", () => this.stack.duplicate(this)),
        button("trash", "Delete row", () => this.stack.remove(this)),
      );
      const bar = el(
        "div",
        { class: "gs-bar" },
        this.handle,
        this.eye,
        this.solo,
        this.model,
        this.strengthLabel,
        tools,
      );
      this.node = el(
        "div",
        { class: "gs-card", role: "listitem" },
        bar,
        this.buildPrompt(),
        this.buildWeight(),
        this.buildMore(),
      );
      this.buildDragging();
    }

    buildPrompt() {
      const picker = studio.picker("Control image", (file) => this.takeFile(file));
      Object.assign(this, { file: picker.input, thumb: picker.node, showThumb: picker.show });
      this.prompt = el("textarea", {
        class: "gs-prompt",
        rows: 1,
        "aria-label": "Prompt of this row",
        spellcheck: "false",
        maxlength: 4000,
        oninput: () => {
          this.edit({ prompt: this.prompt.value });
          this.grow();
        },
      });
      this.split = button("split", "Split into parts at AND", () => this.splitPrompt(), {
        class: "gs-tool gs-split",
      });
      this.note = el("div", { class: "gs-note" }, "Concept model: acts without a prompt");
      this.drop = el(
        "div",
        { class: "gs-line gs-prompting" },
        this.thumb,
        this.file,
        el("div", { class: "gs-field" }, this.prompt, this.split),
        this.note,
      );
      return el("div", {}, this.drop, this.buildControl());
    }

    buildControl() {
      this.type = el("select", {
        class: "gs-select",
        "aria-label": "What is read from the control image",
        onchange: () => this.pickControl(),
      });
      this.controlStrength = numberBox(
        "Control strength",
        () => this.row.control?.strength ?? 1,
        (value) => this.editControl({ strength: value }),
        0,
        4,
        0.05,
      );
      this.clear = button("close", "Remove control image", () => this.edit({ control: null }));
      this.controlLine = el(
        "div",
        { class: "gs-line gs-control" },
        el("span", { class: "gs-tag" }, "Control"),
        this.type,
        el("label", { class: "gs-strength" }, "×", this.controlStrength),
        this.clear,
      );
      const map = this.buildMap();
      this.clear.before(this.mapButton);
      return el("div", {}, this.controlLine, map);
    }

    buildWeight() {
      this.slider = el("input", {
        type: "range",
        class: "gs-slider",
        step: 0.1,
        "aria-label": "Weight of this row",
        oninput: () => this.edit({ weight: tidy(Number(this.slider.value)) }),
        onchange: () => this.fitSlider(),
      });
      this.weight = numberBox(
        "Weight",
        () => this.row.weight,
        (value) => this.edit({ weight: value }),
        -1000,
        1000,
        "any",
      );
      this.weight.box.classList.add("gs-weight");
      this.weight.addEventListener("change", () => this.fitSlider());
      this.more = el(
        "button",
        {
          type: "button",
          class: "gs-tool gs-more",
          "aria-expanded": "false",
          title: "More: adapters, range, curve, mask, reference",
          "aria-label": "More: adapters, range, curve, mask, reference",
          onclick: () => {
            this.opened = !this.opened;
            this.refresh();
          },
        },
        icon("tune"),
      );
      this.chips = el("span", { class: "gs-chips" });
      this.share = el("div", { class: "gs-share", hidden: true });
      return el(
        "div",
        {},
        el(
          "div",
          { class: "gs-line gs-weighing" },
          el("div", { class: "gs-track" }, this.slider),
          this.weight,
          this.more,
        ),
        el("div", { class: "gs-foot" }, this.share, this.chips),
      );
    }

    buildMore() {
      const setRange = (which, value) => {
        const range = [...this.row.range];
        range[which] = tidy(value);
        if (range[0] > range[1]) range[1 - which] = range[which];
        this.edit({ range });
      };
      this.start = numberBox(
        "Start of the range",
        () => this.row.range[0],
        (value) => setRange(0, value),
        0,
        1,
        0.05,
      );
      this.end = numberBox(
        "End of the range",
        () => this.row.range[1],
        (value) => setRange(1, value),
        0,
        1,
        0.05,
      );
      const slide = (label, which) =>
        el("input", {
          type: "range",
          min: 0,
          max: 1,
          step: 0.05,
          "aria-label": label,
          oninput: (event) => setRange(which, Number(event.target.value)),
        });
      this.startSlider = slide("Start of the range (slider)", 0);
      this.endSlider = slide("End of the range (slider)", 1);
      this.dual = el("div", { class: "gs-dual" }, this.startSlider, this.endSlider);
      this.reference = el(
        "select",
        {
          class: "gs-select",
          "aria-label": "Reference of this row",
          onchange: () => this.pickReference(),
        },
        ...REFERENCES.map(([value, text]) => el("option", { value }, text)),
      );
      this.referencePrompt = el("input", {
        type: "text",
        class: "gs-text",
        "aria-label": "Reference prompt",
        maxlength: 4000,
        placeholder: "reference prompt",
        oninput: () => this.edit({ reference: { prompt: this.referencePrompt.value } }),
      });
      this.details = el(
        "div",
        { class: "gs-details" },
        el(
          "div",
          { class: "gs-line" },
          el(
            "span",
            { class: "gs-tag", title: "Part of the denoising, 0 = noise, 1 = finished" },
            "Range",
          ),
          this.start,
          this.dual,
          this.end,
        ),
        this.buildExtras(),
        this.buildEdited(),
        this.buildShown(),
        this.buildCurve(),
        this.buildMask(),
        el(
          "div",
          { class: "gs-line gs-referring" },
          el("span", { class: "gs-tag", title: "What the row is compared with" }, "Versus"),
          this.reference,
          this.referencePrompt,
        ),
      );
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
      this.drop.addEventListener("dragover", (event) => {
        if (this.takesControl() && event.dataTransfer.types.includes("Files")) {
          event.preventDefault();
          event.stopPropagation();
        }
      });
      this.drop.addEventListener("drop", (event) => {
        if (!this.takesControl() || !event.dataTransfer.files.length) return;
        event.preventDefault();
        event.stopPropagation();
        this.takeFile(event.dataTransfer.files[0]);
      });
    }

    // -- edits ------------------------------------------------------------------------------
    edit(changes) {
      Object.assign(this.row, changes);
      this.refresh();
      this.stack.commit();
    }

    editControl(changes) {
      const empty = {
        type: this.stack.controls()[0]?.type || "canny",
        image: "",
        strength: 1,
        model: null,
      };
      this.edit({ control: { ...(this.row.control || empty), ...changes } });
    }

    pickControl() {
      const [type, model] = JSON.parse(this.type.value);
      this.editControl({ type, model });
    }

    pickReference() {
      const value = this.reference.value;
      this.edit({ reference: value === "prompt" ? { prompt: this.referencePrompt.value } : value });
      if (value === "prompt") this.referencePrompt.focus();
    }

    splitPrompt() {
      this.edit({ prompt: studio.proposeSplit(this.row.prompt) });
      this.grow();
    }

    async takeFile(file) {
      const image = await this.keep(file, this.thumb);
      if (image) this.editControl({ image });
    }
  }

  studio.Card = Card;
})(window.studio);
