// The pictures of a training as cards, over one JSON value {pictures, thumbs}.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const TEXTS = [
    ["caption", "Caption", "caption, or as below"],
    ["target", "Target", "target"],
    ["general", "General text", "general text"],
  ];

  class Pictures {
    constructor(element, props, { most, longest }) {
      Object.assign(this, { props, most, longest, thumbs: {}, pictures: [] });
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
      this.draw();
    }

    draw() {
      const cards = this.pictures.slice(0, this.most);
      this.list.replaceChildren(...cards.map((picture) => this.card(picture)));
      this.tools.hidden = !cards.length;
      const rest = this.pictures.length - cards.length;
      this.more.hidden = rest <= 0;
      this.more.textContent = `${rest} more pictures have no card here; they are trained on whole.`;
    }

    commit() {
      this.props.value = { pictures: studio.clone(this.pictures), thumbs: {} };
    }

    card(picture) {
      const field = ([name, label, placeholder]) => {
        const editor = studio.textEditor({
          field: { longest: this.longest },
          label: `${label} of ${picture.name}`,
          placeholder,
          changed: () => {
            picture[name] = editor.write();
            this.commit();
          },
        });
        editor.read(picture[name]);
        editor.box.title = label;
        editor.element.classList.add(`gs-pic-${name}`);
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
      if (!source) return el("span", { class: "gs-pic-view gs-pic-lost" }, "cannot be shown");
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

    /** Take all of it back to what it was, for a while. */
    undoable(text) {
      const before = studio.clone(this.pictures);
      studio.undoable(text, () => {
        this.pictures = before;
        this.draw();
        this.commit();
      });
    }

    keepOnly(wanted) {
      const left = this.pictures.filter(wanted);
      const gone = this.pictures.length - left.length;
      this.undoable(gone === 1 ? "1 picture removed" : `${gone} pictures removed`);
      this.pictures = left;
      this.draw();
      this.commit();
    }

    cropAll(make) {
      this.undoable("All crops changed");
      for (const view of this.list.querySelectorAll("button.gs-pic-view")) view.crop(make);
    }
  }

  studio.mountPictures = function (element, props, watch, constants) {
    const pictures = new Pictures(element, props, constants);
    watch("value", () => pictures.read());
    studio.pictures = pictures;
  };
})(window.studio);
