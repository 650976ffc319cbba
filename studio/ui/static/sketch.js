// Painting on a picture to start from, in colours: what is painted is made into something.
(function (studio) {
  "use strict";
  const { el } = studio;
  const FIRST = "#e53935";
  const NOTE =
    "Paint roughly what is to be there, say it in a row, and let the strength work it out. Alt and a press take a colour of the picture.";
  let last = FIRST; // the colour that was painted with last, for the next picture

  const hex = (bytes) =>
    `#${[...bytes.slice(0, 3)].map((one) => one.toString(16).padStart(2, "0")).join("")}`;

  /** A canvas's colours as a PNG file, transparent where nothing is painted. */
  const strokesOf = (canvas) =>
    new Promise((resolve) =>
      canvas.toBlob((blob) => resolve(new File([blob], "strokes.png", { type: "image/png" }))),
    );

  class Sketcher extends studio.Painter {
    /** ``reference``: the picture that is painted on. */
    constructor(strokes, background, reference) {
      super(strokes, background, "Paint on the picture");
      this.reference = reference;
      this.dialog.classList.add("gs-sketch");
      this.colour = el("input", {
        type: "color",
        value: last,
        "aria-label": "Colour",
        oninput: () => this.paintWith(this.colour.value),
      });
      this.alone = el("input", { type: "checkbox", class: "gs-check" });
      this.size
        .closest(".gs-line")
        .prepend(el("label", { class: "gs-brush" }, "Colour", this.colour));
      const alone = el(
        "label",
        { class: "gs-brush" },
        this.alone,
        "Only what is painted is made anew",
      );
      this.answers.before(el("p", { class: "gs-work-note" }, NOTE), alone);
      for (const one of this.dialog.querySelectorAll("[data-fills]")) one.remove();
      this.user.textContent = "Use the picture";
      this.paintWith(last);
    }

    paintWith(colour) {
      this.ink = last = this.colour.value = colour;
    }

    get leaving() {
      return "Leave the picture as it was, without what you painted?";
    }

    /** The colour that is seen at a place of the canvas. */
    async pick([x, y]) {
      const one = el("canvas", { width: 1, height: 1 });
      const draw = one.getContext("2d");
      const { width, height } = this.strokes;
      const picture = this.frame.querySelector("img");
      if (picture) draw.drawImage(picture, -x, -y, width, height);
      draw.drawImage(this.strokes, -x, -y);
      this.paintWith(hex(draw.getImageData(0, 0, 1, 1).data));
    }

    begin(event) {
      this.picks = event.altKey;
      if (this.picks) return this.pick(this.place(event));
      return super.begin(event);
    }

    stroke(event) {
      if (!this.picks) super.stroke(event);
    }

    finish() {
      return this.keep(async () => {
        if (studio.isEmpty(this.strokes)) {
          studio.toast("Nothing is painted, so the picture stays as it is.");
          return null;
        }
        const { images } = studio.stack;
        const painted = await images.paintOver(this.reference, await strokesOf(this.strokes));
        if (!painted.image) throw new Error(painted.error);
        return {
          image: painted.image,
          mask: this.alone.checked ? await this.kept(this.strokes) : null,
        };
      });
    }
  }

  /** Ask what is painted on a picture: {image, mask or null}, the references; null for nothing. */
  studio.sketch = async function ({ size, background, reference }) {
    const [width, height] = studio.canvasSize(size);
    return new Sketcher(el("canvas", { width, height }), background, reference).ask();
  };
})(window.studio);
