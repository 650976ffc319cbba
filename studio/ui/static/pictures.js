// The pictures of a training as cards, over one JSON value {pictures, thumbs}.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const TEXTS = [
    ["caption", "Caption", "caption, or as below"],
    ["target", "Target", "target"],
    ["general", "General text", "general text"],
  ];

  const LINES = 5; // to which a text grows, so that it can be read without a press

  class Pictures {
    constructor(element, props, { most, longest }) {
      Object.assign(this, { props, most, longest, thumbs: {}, pictures: [] });
      this.faults = {}; // what Train would refuse: {picture: {text: why}}
      this.order = []; // all names there ever were, removed ones too: where one is put back
      this.list = el("div", { class: "gs-pics" });
      this.tools = el(
        "div",
        { class: "gs-line gs-pics-tools" },
        word("Crop all to squares", () =>
          this.cropAll((shape, box) => studio.squareIn(box, shape)),
        ),
        word("Undo all crops", () => this.cropAll(() => null)),
        word("Remove all", () => this.keepOnly(() => false)),
      );
      this.more = el("p", { class: "gs-pics-more" });
      element.replaceChildren(this.tools, this.list, this.more);
      this.read();
    }

    /** Take over what the server sent; small pictures that it left out are still here. */
    read() {
      const value = studio.clone(this.props.value) || {};
      Object.assign(this.thumbs, value.thumbs || {});
      this.pictures = value.pictures || [];
      const names = this.pictures.map(({ name }) => name);
      this.order.push(...names.filter((name) => !this.order.includes(name)));
      this.draw();
    }

    draw() {
      this.marks = []; // of each text
      const cards = this.pictures.slice(0, this.most);
      this.list.replaceChildren(...cards.map((picture) => this.card(picture)));
      for (const mark of this.marks) mark(); // and as high as they need to be, now that they are there
      this.tools.hidden = !cards.length;
      const rest = this.pictures.length - cards.length;
      this.more.hidden = rest <= 0;
      this.more.textContent = `${rest} more pictures have no card here; they are trained on whole.`;
    }

    commit() {
      this.props.value = { pictures: studio.clone(this.pictures), thumbs: {} };
    }

    /** Say at each text why Train would refuse it. */
    mark(faults) {
      this.faults = faults;
      for (const mark of this.marks) mark();
    }

    card(picture) {
      const field = ([name, label, placeholder]) => {
        const editor = studio.textEditor({
          field: { longest: this.longest },
          label: `${label} of ${picture.name}`,
          placeholder,
          lines: LINES,
          changed: () => {
            picture[name] = editor.write();
            this.commit();
          },
        });
        editor.read(picture[name]);
        const mark = () => editor.mark(this.faults[picture.name]?.[name] || "");
        this.marks.push(mark);
        editor.box.title = label;
        editor.element.classList.add("gs-pic-text", `gs-pic-${name}`);
        return editor.element;
      };
      return el(
        "div",
        { class: "gs-pic", "data-name": picture.name },
        this.view(picture),
        el(
          "div",
          { class: "gs-pic-texts" },
          el(
            "div",
            { class: "gs-pic-head" },
            el("strong", { title: picture.name, translate: "no" }, picture.name),
            studio.button("trash", `Remove ${picture.name}`, () =>
              this.keepOnly((other) => other !== picture),
            ),
          ),
          ...TEXTS.map(field),
        ),
      );
    }

    view(picture) {
      const source = this.thumbs[picture.name];
      if (!source)
        return el("span", { class: "gs-pic-view gs-pic-lost" }, "cannot be read: left out");
      const light = el("div", { class: "gs-crop-box" }),
        label = el("span", { class: "gs-pic-crop" });
      const show = () => {
        light.hidden = !picture.crop;
        if (picture.crop) studio.placeBox(light, picture.crop);
        label.textContent = picture.crop ? "Cropped" : "Crop";
      };
      const image = el("img", { src: source, alt: "", draggable: "false" });
      const view = el(
        "button",
        {
          type: "button",
          class: "gs-pic-view",
          "aria-label": `Crop ${picture.name}`,
          title: "Crop this picture",
          onclick: async () => {
            const answer = await studio.crop(source, picture.crop, `Crop ${picture.name}`);
            if (answer) view.crop(() => answer.crop);
          },
        },
        el("span", { class: "gs-pic-frame" }, image, light),
        label,
      );
      /** A new crop from the picture's aspect and the present box. */
      view.crop = (make) => {
        picture.crop = make(image.naturalWidth / image.naturalHeight, picture.crop || [0, 0, 1, 1]);
        show();
        this.commit();
      };
      show();
      return view;
    }

    /** `back` takes it back for a while: that alone, whatever was written or dropped since. */
    undoable(text, back) {
      studio.undoable(text, () => {
        back();
        this.draw();
        this.commit();
      });
    }

    keepOnly(wanted) {
      const gone = this.pictures.filter((picture) => !wanted(picture));
      const text = gone.length === 1 ? "1 picture removed" : `${gone.length} pictures removed`;
      this.undoable(text, () => gone.forEach((picture) => this.putBack(picture)));
      this.pictures = this.pictures.filter(wanted);
      this.draw();
      this.commit();
    }

    /** A removed picture to its place among the others, unless one of its name is here again. */
    putBack(picture) {
      if (this.pictures.some(({ name }) => name === picture.name)) return;
      const place = ({ name }) => this.order.indexOf(name);
      const next = this.pictures.findIndex((other) => place(other) > place(picture));
      this.pictures.splice(next < 0 ? this.pictures.length : next, 0, picture);
    }

    cropAll(make) {
      const crops = () => new Map(this.pictures.map(({ name, crop }) => [name, crop ?? null]));
      const before = crops();
      for (const view of this.list.querySelectorAll("button.gs-pic-view")) view.crop(make);
      const after = crops();
      const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
      this.undoable("All crops changed", () => {
        for (const picture of this.pictures)
          if (after.has(picture.name) && same(picture.crop ?? null, after.get(picture.name)))
            picture.crop = before.get(picture.name);
      });
    }
  }

  studio.mountPictures = function (element, props, watch, constants) {
    const pictures = new Pictures(element, props, constants);
    watch("value", () => pictures.read());
    studio.pictures = pictures;
  };
})(window.studio);
