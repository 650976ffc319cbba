// The picture to start from: image, strength and mask, over one JSON value {init, thumbs}.
(function (studio) {
  "use strict";
  const { el, button } = studio;
  const NO_FIT =
    "The mask was taken off, since it does not fit the new picture. Undo brings both back.";

  class Start {
    constructor(element, props, { leaves }) {
      this.props = props;
      this.usual = leaves.strength.default;
      this.thumbs = {};
      const image = studio.picker("Choose a picture to start from (or drop one here)", (file) =>
        this.take("image", file),
      );
      const mask = studio.picker("Upload a mask (white is painted anew)", (file) =>
        this.take("mask", file),
      );
      Object.assign(this, { image, mask });
      const { strength, loops, ...others } = leaves;
      this.loops = studio.editorOf({
        field: loops,
        label: loops.title,
        changed: () => this.edit({ loops: this.loops.write() }),
      });
      this.strength = studio.sliderEditor({
        field: strength,
        label: "Strength",
        reach: [0, 1, 0.05],
        changed: () => this.edit({ strength: this.strength.write() }),
      });
      // What the schema has besides follows by itself.
      this.others = Object.values(others).map((field) => {
        const editor = studio.editorOf({
          field,
          label: field.title,
          changed: () => this.edit({ [field.name]: editor.write() }),
        });
        const tag = el("span", { class: "gs-tag", title: field.help }, field.title);
        const line = el("div", { class: "gs-line gs-generic" }, tag, editor.element);
        return { field, editor, line };
      });
      this.clear = button("close", "Start from noise", () => this.set(null));
      this.clearMask = button("close", "Remove the mask", () => this.edit({ mask: "" }));
      const several = el("input", {
        type: "file",
        multiple: true,
        accept: studio.acceptsPictures(),
        class: "gs-file",
        tabindex: "-1",
        "aria-label": "Pictures to start from, one after another",
        onchange: () => {
          studio.makeEach("init.image", [...several.files]);
          several.value = "";
        },
      });
      this.each = button("copy", "Start from each of several pictures", () => several.click());
      this.sketcher = button("palette", "Paint on the picture in colours", () => this.sketch());
      this.result = button("again", "Start from the last result", () => this.takeResult());
      this.details = el(
        "div",
        { class: "gs-start-details" },
        this.variedLine(
          strength,
          this.strength,
          "The part of the steps that runs; 1 keeps hardly anything",
        ),
        this.variedLine(loops, this.loops, loops.help),
        el(
          "div",
          { class: "gs-line" },
          el("span", { class: "gs-tag", title: "White is painted anew, black is kept" }, "Mask"),
          mask.node,
          mask.input,
          button("brush", "Paint the mask", () => this.paint()),
          this.clearMask,
        ),
        ...this.others.map(({ line }) => line),
      );
      this.hint = el("span", { class: "gs-hint-text" }, "Start from a picture");
      this.box = el(
        "div",
        { class: "gs-start" },
        image.node,
        image.input,
        this.hint,
        this.details,
        el(
          "span",
          { class: "gs-start-tools" },
          several,
          this.sketcher,
          this.each,
          this.result,
          this.clear,
        ),
      );
      element.replaceChildren(this.box);
      studio.takesPictures(
        this.box,
        () => true,
        (file) => this.take("image", file),
      );
      this.read();
    }

    /** A number that can be varied, with its name before it. */
    variedLine(field, editor, help) {
      const { name, title } = field;
      return el(
        "div",
        { class: "gs-line gs-generic" },
        el("span", { class: "gs-tag", title: help }, title),
        editor.element,
        studio.varyButton({
          title,
          path: () => `init.${name}`,
          values: () => studio.valuesAround(field, this.init[name] ?? field.default),
        }).element,
      );
    }

    /** Whether it stands on the page; folded parts do not. */
    attached() {
      return this.box.isConnected;
    }

    /** Take over what the server sent. */
    read() {
      const value = studio.clone(this.props.value) || {};
      Object.assign(this.thumbs, value.thumbs || {});
      this.init = value.init || null;
      this.refresh();
    }

    set(init) {
      this.init = init;
      this.refresh();
      const used = [init?.image, init?.mask].filter((name) => this.thumbs[name]);
      this.props.value = {
        init: studio.clone(init),
        thumbs: Object.fromEntries(used.map((name) => [name, this.thumbs[name]])),
      };
    }

    edit(changes) {
      // An area around a mask goes with it.
      const whole = changes.mask === "" ? { area: "picture" } : {};
      if (this.init) this.set({ ...this.init, ...whole, ...changes });
    }

    shown(name) {
      return name ? this.thumbs[name] || (name.startsWith("data:image/") ? name : "") : "";
    }

    refresh() {
      const { init } = this;
      this.image.show(this.shown(init?.image), init ? "Replace the picture to start from" : "");
      this.mask.show(this.shown(init?.mask));
      this.details.hidden = this.clear.hidden = this.sketcher.hidden = !init;
      this.hint.hidden = Boolean(init);
      this.clearMask.hidden = !init?.mask;
      if (!init) return;
      this.strength.read(init.strength);
      this.loops.read(init.loops ?? 1);
      for (const { field, editor, line } of this.others) {
        editor.read(init[field.name] ?? field.default);
        // Of a mask's greys there is nothing to say without one; switched on, it can be switched off.
        if (field.name === "soft_inpainting")
          line.hidden = !init.soft_inpainting && !(init.mask && init.strength);
      }
    }

    /** Returns whether the picture was taken; says why where it was not. */
    async take(which, file) {
      if (!file) return false;
      const picker = this[which];
      picker.node.classList.add("gs-busy");
      const answer = await studio.stack.images.store(file, which === "mask");
      const misfit = which === "image" && answer.image ? await this.misfit(answer.image) : "";
      picker.node.classList.remove("gs-busy");
      if (answer.error) {
        studio.toast(answer.error);
        return false;
      }
      this.thumbs[answer.image] = answer.thumb;
      if (which === "mask") this.edit({ mask: answer.image });
      else {
        const strength = this.init?.strength ?? this.usual;
        const mask = this.init?.mask || "";
        const off = mask && mask === misfit;
        this.set({ ...this.init, image: answer.image, strength });
        if (off) this.edit({ mask: "" });
        if (off) studio.toast(NO_FIT);
      }
      return true;
    }

    /** The mask where it does not fit another picture. One that does stays, as when parts are painted
     *  anew again and again; so does one of which nobody can tell, which Generate refuses. */
    async misfit(image) {
      const mask = this.init?.mask;
      return mask && (await studio.stack.images.maskFits(mask, image)) === false ? mask : "";
    }

    async takeResult() {
      const shown = studio.lastResult();
      if (!shown) return studio.toast("There is no result yet.");
      const answer = await fetch(shown);
      return this.take(
        "image",
        new File([await answer.blob()], "result.png", { type: "image/png" }),
      );
    }

    async ask() {
      const held = this.init; // it may be taken away meanwhile
      const background = await studio.stack.images.show(held.image);
      if (!background || !this.init) return null;
      const mask = held.mask ? await studio.stack.images.show(held.mask) : "";
      const size = await sizeOf(background);
      return studio.paint({ title: "What is painted anew", size, background, mask });
    }

    /** Whether something was painted. */
    async sketch() {
      const answer = await studio.alone(async () => {
        const { image } = this.init;
        const background = await studio.stack.images.show(image);
        if (!background) return null;
        return studio.sketch({ size: await sizeOf(background), background, reference: image });
      });
      if (!answer || !this.init) return false;
      const { thumbs } = studio.stack.images;
      for (const one of [answer.image, answer.mask]) if (one) this.thumbs[one] = thumbs[one];
      const mask = answer.mask ?? this.init.mask; // at once: one step of undo
      this.edit({ image: answer.image, mask });
      return true;
    }

    /** Whether a mask was painted. */
    async paint() {
      const painted = await studio.alone(() => this.ask());
      if (painted === null) return false;
      if (painted) this.thumbs[painted] = studio.stack.images.thumbs[painted];
      this.edit({ mask: painted });
      return true;
    }
  }

  async function sizeOf(source) {
    const picture = new Image();
    picture.src = source;
    await picture.decode().catch(() => null);
    return [picture.naturalWidth || 512, picture.naturalHeight || 512];
  }

  /** What rows' masks are painted over, {size, background}: the picture to be made, or all of the one
   *  that is painted around its mask alone. */
  studio.underMasks = async function () {
    const init = studio.start?.init;
    const background = init?.area === "mask" ? await studio.stack.images.show(init.image) : "";
    if (background) return { size: await sizeOf(background), background };
    return { size: studio.pictureSize(), background: studio.lastResult() };
  };

  studio.mountStart = function (element, props, watch, constants) {
    const start = new Start(element, props, constants);
    watch("value", () => start.read());
    studio.start = start;
  };
})(window.studio);
