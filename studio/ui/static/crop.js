// Cropping a picture in a dialog: a box over it, moved and drawn by hand or set by numbers.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const WHOLE = [0, 0, 1, 1],
    LEAST = 0.02,
    REACH = 16; // LEAST: part of a side; REACH: pixels around a corner
  const SIDES = ["Left", "Top", "Right", "Bottom"];
  const LIMITS = WHOLE.map((far) => (far ? [LEAST * 100, 100] : [0, 100 - LEAST * 100]));
  const clamp = (value) => Math.min(1, Math.max(0, value));

  /** Show ``box`` as the part of its frame that stays light. */
  studio.placeBox = (node, [left, top, right, bottom]) =>
    Object.assign(node.style, {
      left: `${left * 100}%`,
      top: `${top * 100}%`,
      width: `${(right - left) * 100}%`,
      height: `${(bottom - top) * 100}%`,
    });

  /** The largest square inside ``box``, around its centre; ``aspect`` is the picture's width by its height. */
  studio.squareIn = function ([left, top, right, bottom], aspect) {
    const width = (right - left) * aspect,
      height = bottom - top,
      side = Math.min(width, height);
    const x = (left + right) / 2,
      y = (top + bottom) / 2;
    return [x - side / aspect / 2, y - side / 2, x + side / aspect / 2, y + side / 2].map(clamp);
  };

  /** ``box`` for a preset of the whole picture: null. */
  const tidied = (box) =>
    box.every((side, i) => Math.abs(side - WHOLE[i]) < 0.002)
      ? null
      : box.map((side) => Math.round(side * 1e4) / 1e4);

  class Cropper {
    /**
     * @param reference the picture as the server knows it, a preset's image or a data URI
     * @param make answers what the part of a box is, {error} where that cannot be
     */
    constructor(picture, box, title, reference, make) {
      this.reference = reference;
      this.make = make;
      this.box = [...(box || WHOLE)];
      this.aspect = picture.naturalWidth / picture.naturalHeight;
      this.held = null;
      this.typed = null; // the side that is being typed, and the box before it was
      picture.alt = "";
      picture.draggable = false;
      this.light = el(
        "div",
        { class: "gs-crop-box gs-crop-held" },
        ...["nw", "ne", "sw", "se"].map((corner) => el("i", { class: `gs-${corner}` })),
      );
      this.frame = el(
        "div",
        { class: "gs-canvas", style: `aspect-ratio: ${this.aspect}; --shape: ${this.aspect}` },
        picture,
        this.light,
      );
      this.numbers = SIDES.map((side, i) =>
        studio.numberEditor({
          field: { kind: "number", low: LIMITS[i][0], high: LIMITS[i][1] },
          label: `${side} (%)`,
          changed: () => {
            const typed = this.numbers[i].write(),
              [low, high] = LIMITS[i];
            if (typed !== "" && typed >= low && typed <= high) this.type(i, typed / 100);
          },
        }),
      );
      this.dialog = el(
        "dialog",
        { class: "gs-painter gs-cropper", "aria-label": title },
        el("strong", {}, title),
        this.frame,
        el(
          "div",
          { class: "gs-line gs-crop-numbers" },
          ...SIDES.map((side, i) =>
            el("label", { class: "gs-brush" }, side, this.numbers[i].element),
          ),
        ),
        el(
          "div",
          { class: "gs-line" },
          word("Square", () => this.set(studio.squareIn(this.box, this.aspect))),
          word("The face", (event) => this.face(event.currentTarget)),
          word("Whole picture", () => this.set(WHOLE)),
        ),
        (this.note = el("p", { class: "gs-work-note", role: "status" })),
        el(
          "div",
          { class: "gs-line gs-answers" },
          word("Cancel", () => this.dialog.close()),
          word("Use crop", (event) => this.use(event.currentTarget), {
            class: "gs-word gs-main-word",
          }),
        ),
      );
      this.frame.addEventListener("pointerdown", (event) => this.begin(event));
      this.frame.addEventListener("pointermove", (event) => {
        if (this.held) this.drag(this.place(event));
      });
      for (const end of ["pointerup", "pointercancel"])
        this.frame.addEventListener(end, () => {
          this.held = null;
        });
      this.set(this.box);
    }

    /** A new box; the number that is being typed stays as it is, and what was said of the last one goes. */
    set(box, typed) {
      this.box = [...box];
      if (typed === undefined) this.typed = null;
      this.say("");
      studio.placeBox(this.light, this.box);
      this.numbers.forEach((number, i) => {
        if (i !== typed) number.read(this.percent(i));
      });
    }

    /** Answer with the box; one that cannot be stays, with what is wrong with it below. */
    async use(asked) {
      const wrong = this.numbers.find(studio.isWrong);
      if (wrong) return wrong.box.focus(); // what is wrong with it stands below
      const box = [...this.box];
      asked.disabled = true;
      const made = await this.make(tidied(box));
      asked.disabled = false;
      if (box.some((side, i) => side !== this.box[i])) return null; // drawn anew meanwhile
      if (made.error) return this.say(made.error);
      this.answer = made;
      return this.dialog.close();
    }

    say(text) {
      this.note.textContent = text;
    }

    /** The box around the largest face, as the server finds it. */
    async face(asked) {
      asked.disabled = true;
      const { box, error } = await studio.stack.images.findFace(this.reference);
      asked.disabled = false;
      if (box) this.set(box);
      this.say(error || "");
    }

    percent(side) {
      return Math.round(this.box[side] * 1000) / 10;
    }

    /** One side by its number; the opposite one gives way, and comes back with the digits that follow. */
    type(side, value) {
      if (this.typed?.side !== side) this.typed = { side, box: this.box };
      const box = [...this.typed.box],
        far = (side % 2) + (side < 2 ? 2 : 0);
      box[side] = value;
      box[far] =
        side < 2 ? Math.max(box[far], box[side] + LEAST) : Math.min(box[far], box[side] - LEAST);
      const moved = box[far] !== this.typed.box[far];
      this.set(box, side);
      if (moved)
        this.say(
          `${SIDES[far]} is ${studio.numberText(this.percent(far))} now: two sides may not cross.`,
        );
    }

    place(event) {
      const frame = this.frame.getBoundingClientRect();
      return [
        clamp((event.clientX - frame.left) / frame.width),
        clamp((event.clientY - frame.top) / frame.height),
      ];
    }

    /** A corner is pulled, the inside is moved, anywhere else a new box begins. */
    begin(event) {
      event.preventDefault();
      this.frame.setPointerCapture?.(event.pointerId);
      this.set(this.box); // a line that goes while one draws would move the picture from under the hand
      const [x, y] = this.place(event),
        [left, top, right, bottom] = this.box,
        frame = this.frame.getBoundingClientRect();
      const near = (a, b) => Math.hypot((a - x) * frame.width, (b - y) * frame.height) < REACH;
      const corner = [
        [left, top, right, bottom],
        [right, top, left, bottom],
        [left, bottom, right, top],
        [right, bottom, left, top],
      ].find(([a, b]) => near(a, b));
      const inside = x > left && x < right && y > top && y < bottom && !this.isWhole();
      this.held = corner
        ? { from: corner.slice(2) }
        : inside
          ? { at: [x, y], box: this.box }
          : { from: [x, y] };
    }

    isWhole() {
      return tidied(this.box) === null;
    }

    drag([x, y]) {
      if (this.held.from) {
        const [a, b] = this.held.from,
          box = [Math.min(a, x), Math.min(b, y), Math.max(a, x), Math.max(b, y)];
        if (box[2] - box[0] >= LEAST && box[3] - box[1] >= LEAST) this.set(box);
        return;
      }
      const [left, top, right, bottom] = this.held.box;
      const dx = Math.min(1 - right, Math.max(-left, x - this.held.at[0])),
        dy = Math.min(1 - bottom, Math.max(-top, y - this.held.at[1]));
      this.set([left + dx, top + dy, right + dx, bottom + dy]);
    }

    ask() {
      return new Promise((resolve) => {
        const before = studio.asText(this.box);
        studio.askBeforeReload(this.dialog, () => studio.asText(this.box) !== before);
        this.dialog.addEventListener("close", () => {
          this.dialog.remove();
          resolve(this.answer || null);
        });
        document.body.append(this.dialog);
        this.dialog.showModal();
      });
    }
  }

  /** Ask for a crop of the picture at ``source``: what ``make`` makes of it, or null when it was cancelled. */
  async function crop(source, box, title, reference, make) {
    const picture = new Image();
    picture.src = source;
    await picture.decode().catch(() => null);
    if (!picture.naturalWidth) return null;
    return new Cropper(picture, box, title, reference, make).ask();
  }
  /** Ask for a crop: {crop: box or null}, or null when it was cancelled. */
  studio.crop = (source, box, title) =>
    studio.alone(() => crop(source, box, title, source, (found) => ({ crop: found })));

  /** A button that crops an image of a row: ``image()`` is its reference, ``put`` takes the new one. */
  studio.cropButton = function (images, label, image, put) {
    return studio.button("crop", label, async () => {
      const reference = image();
      const make = (box) => (box ? images.crop(reference, box) : {});
      const kept = await studio.alone(async () => {
        const source = await images.show(reference);
        return source && crop(source, null, label, reference, make);
      });
      if (kept?.image && image() === reference) put(kept.image);
    });
  };
})(window.studio);
