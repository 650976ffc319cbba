// Painting a mask in a dialog: white where something happens, black where nothing does.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const EDGE = 768;
  const MOST_UNDONE = 20; // strokes; each keeps a picture of the canvas
  const INK = "#6d67f0"; // what is white in the mask, seen on any background

  const asRgb = (ink) => [1, 3, 5].map((at) => parseInt(ink.slice(at, at + 2), 16));

  /** The luminance of a picture as opacity of ink, on a canvas of the given size. */
  async function asStrokes(source, width, height, ink = INK) {
    const canvas = el("canvas", { width, height }),
      draw = canvas.getContext("2d", { willReadFrequently: true });
    if (!source) return canvas;
    const image = new Image();
    image.src = source;
    await image.decode().catch(() => null);
    if (!image.naturalWidth) return canvas;
    draw.drawImage(image, 0, 0, width, height);
    const rgb = asRgb(ink);
    const data = draw.getImageData(0, 0, width, height);
    for (let i = 0; i < data.data.length; i += 4) {
      data.data[i + 3] = Math.round(
        0.299 * data.data[i] + 0.587 * data.data[i + 1] + 0.114 * data.data[i + 2],
      );
      data.data.set(rgb, i);
    }
    draw.putImageData(data, 0, 0);
    return canvas;
  }

  /** Whether nothing is inked. */
  const isEmpty = (canvas) => {
    const { data } = canvas
      .getContext("2d", { willReadFrequently: true })
      .getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 3; at < data.length; at += 4) if (data[at]) return false;
    return true;
  };

  /** What is inked as a mask: white on black, a PNG file. */
  function maskOf(strokes) {
    const whole = el("canvas", { width: strokes.width, height: strokes.height }),
      draw = whole.getContext("2d");
    draw.drawImage(strokes, 0, 0);
    for (const [operation, colour] of [
      ["source-in", "#fff"],
      ["destination-over", "#000"],
    ]) {
      draw.globalCompositeOperation = operation;
      draw.fillStyle = colour;
      draw.fillRect(0, 0, whole.width, whole.height);
    }
    return new Promise((resolve) =>
      whole.toBlob(
        (blob) => resolve(new File([blob], "mask.png", { type: "image/png" })),
        "image/png",
      ),
    );
  }

  class Painter {
    constructor(strokes, background, title) {
      this.ink = INK;
      this.strokes = strokes;
      this.draw = strokes.getContext("2d", { willReadFrequently: true });
      this.erases = false;
      this.last = null;
      this.before = []; // the canvas before each of the last strokes: {canvas, data}
      this.steps = new Map(); // how many strokes lie on each canvas, those that are forgotten too
      const { width, height } = strokes;
      strokes.className = "gs-strokes";
      this.size = el("input", {
        type: "range",
        min: 2,
        max: 100,
        value: 25,
        "aria-label": "Brush size",
      });
      this.eraser = word(
        "Erase",
        () => {
          this.erases = !this.erases;
          this.eraser.setAttribute("aria-pressed", String(this.erases));
        },
        { "aria-pressed": "false" },
      );
      this.frame = el(
        "div",
        {
          class: "gs-canvas",
          style: `aspect-ratio: ${width} / ${height}; --shape: ${width / height}`,
        },
        background ? el("img", { src: background, alt: "", draggable: "false" }) : null,
        strokes,
      );
      this.dialog = el(
        "dialog",
        { class: "gs-painter", "aria-label": title },
        el("strong", {}, title),
        this.frame,
        el(
          "div",
          { class: "gs-line" },
          el("label", { class: "gs-brush" }, "Brush", this.size),
          this.eraser,
          word("All", () => this.fill()),
          word("None", () => this.clear()),
          word("Invert", () => this.invert()),
          (this.undoer = word("Undo", () => this.undo(), { disabled: true })),
        ),
        el(
          "div",
          { class: "gs-line gs-answers" },
          word("Cancel", () => this.dialog.close()),
          word("Use mask", () => this.finish(), { class: "gs-word gs-main-word" }),
        ),
      );
      // Esc is near, and what was painted is gone with it.
      this.dialog.addEventListener("cancel", (event) => {
        if (!this.mayLeave()) event.preventDefault();
      });
      this.dialog.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
          event.preventDefault(); // a second Esc on end could not be refused as "cancel"
          if (this.mayLeave()) this.dialog.close();
          return;
        }
        if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
        event.preventDefault();
        this.undo();
      });
      this.frame.addEventListener("pointerdown", (event) => this.begin(event));
      this.frame.addEventListener("pointermove", (event) => {
        if (this.last) this.stroke(event);
      });
      for (const end of ["pointerup", "pointercancel"])
        this.frame.addEventListener(end, () => {
          this.last = null;
        });
      studio.brushByKeys(this);
    }

    place(event) {
      const box = this.strokes.getBoundingClientRect();
      return [
        ((event.clientX - box.left) / box.width) * this.strokes.width,
        ((event.clientY - box.top) / box.height) * this.strokes.height,
      ];
    }

    /** Keep the canvas as it is, for an undo. */
    remember() {
      const { draw, strokes: canvas } = this;
      this.before.push({ canvas, data: draw.getImageData(0, 0, canvas.width, canvas.height) });
      this.steps.set(canvas, (this.steps.get(canvas) || 0) + 1);
      if (this.before.length > MOST_UNDONE) this.before.shift();
      this.undoer.disabled = false;
    }

    undo() {
      const { canvas, data } = this.before.pop() || {};
      if (!canvas) return;
      canvas.getContext("2d").putImageData(data, 0, 0);
      this.steps.set(canvas, this.steps.get(canvas) - 1);
      this.undoer.disabled = !this.before.length;
    }

    /** Whether a canvas holds what was painted here. */
    painted(canvas) {
      return this.steps.get(canvas) > 0;
    }

    /** Whether nothing that was painted would be lost, or may be. */
    mayLeave() {
      const asked = "Leave the mask as it was, without what you painted?";
      const some = [...this.steps.keys()].some((canvas) => this.painted(canvas));
      return !some || window.confirm(studio.say(asked));
    }

    begin(event) {
      event.preventDefault();
      this.remember();
      this.frame.setPointerCapture?.(event.pointerId);
      this.last = this.place(event);
      this.stroke(event);
    }

    stroke(event) {
      const here = this.place(event);
      this.line(this.last, here, event.buttons === 2);
      this.last = here;
    }

    /** How broad the brush is, in the canvas's pixels. */
    breadth() {
      return (Number(this.size.value) / 250) * Math.max(this.strokes.width, this.strokes.height);
    }

    line(from, to, erases = false) {
      const { draw } = this;
      draw.globalCompositeOperation = this.erases || erases ? "destination-out" : "source-over";
      draw.strokeStyle = this.ink;
      draw.lineCap = draw.lineJoin = "round";
      draw.lineWidth = this.breadth();
      draw.beginPath();
      draw.moveTo(...from);
      draw.lineTo(to[0] + 0.01, to[1]);
      draw.stroke();
    }

    cover(operation) {
      this.remember();
      this.draw.globalCompositeOperation = operation;
      this.draw.fillStyle = this.ink;
      this.draw.fillRect(0, 0, this.strokes.width, this.strokes.height);
    }

    fill() {
      this.cover("source-over");
    }

    clear() {
      this.remember();
      this.draw.clearRect(0, 0, this.strokes.width, this.strokes.height);
    }

    invert() {
      this.cover("source-out");
    }

    async finish() {
      const empty = isEmpty(this.strokes);
      if (empty) studio.toast("Nothing is painted, so there is no mask.");
      this.answer = empty ? "" : await maskOf(this.strokes);
      this.dialog.close();
    }

    ask() {
      return new Promise((resolve) => {
        this.dialog.addEventListener("close", () => {
          this.dialog.remove();
          resolve(this.answer ?? null);
        });
        document.body.append(this.dialog);
        this.dialog.showModal();
      });
    }
  }

  /** Width and height of the canvas for a picture of ``size``. */
  const canvasSize = (size) => {
    const scale = Math.min(1, EDGE / Math.max(...size));
    return size.map((side) => Math.max(1, Math.round(side * scale)));
  };
  Object.assign(studio, { Painter, asStrokes, isEmpty, maskOf, canvasSize });

  /** Ask for a mask of the aspect of ``size``; a PNG file, "" where nothing is painted, or
   *  null when it was cancelled. */
  studio.paint = async function ({ title, size, background, mask }) {
    const [width, height] = canvasSize(size);
    return new Painter(await asStrokes(mask, width, height), background, title).ask();
  };
})(window.studio);
