// Painting a mask in a dialog: white where something happens, black where nothing does.
(function (studio) {
  "use strict";
  const { el, word, isEmpty, maskOf } = studio;
  const MOST_UNDONE = 20; // strokes; each keeps a picture of the canvas
  class Painter {
    constructor(strokes, background, title) {
      this.ink = studio.INK;
      this.strokes = strokes;
      this.draw = strokes.getContext("2d", { willReadFrequently: true });
      this.erases = false;
      this.steps = studio.paintSteps(
        MOST_UNDONE,
        (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height),
        (canvas, data) => canvas.getContext("2d").putImageData(data, 0, 0),
      );
      const { width, height } = strokes;
      strokes.className = "gs-strokes";
      this.size = el("input", {
        type: "range",
        min: 2,
        max: 100,
        value: 25,
        "aria-label": "Brush size",
      });
      this.share = studio.brushShare(this);
      this.eraser = word(
        "Erase",
        () => {
          this.erases = !this.erases;
          this.eraser.setAttribute("aria-pressed", String(this.erases));
        },
        { "aria-pressed": "false" },
      );
      const way = (text, go, title) => word(text, go, { disabled: true, title });
      this.ways = {
        undo: way("Undo", () => this.undo(), "Undo (Ctrl+Z)"),
        redo: way("Redo", () => this.redo(), "Redo (Ctrl+Shift+Z)"),
      };
      this.frame = el(
        "div",
        {
          class: "gs-canvas",
          style: `aspect-ratio: ${width} / ${height}; --shape: ${width / height}`,
        },
        background ? el("img", { src: background, alt: "", draggable: "false" }) : null,
        strokes,
      );
      this.user = word("Use mask", () => this.finish(), { class: "gs-word gs-main-word" });
      this.problem = el("p", { class: "gs-error", role: "alert", hidden: true });
      this.answers = el(
        "div",
        { class: "gs-line gs-answers" },
        word("Cancel", () => this.dialog.close()),
        this.user,
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
          this.share.element,
          this.eraser,
          word("Everything", () => this.fill(), { "data-fills": "all" }),
          word("None", () => this.clear()),
          word("Invert", () => this.invert(), { "data-fills": "rest" }),
          this.ways.undo,
          this.ways.redo,
        ),
        studio.paintFinder(this, background),
        this.problem,
        this.answers,
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
        const way = studio.wayOfKey(event);
        if (!way) return;
        event.preventDefault();
        if (!this.keeping) this[way]();
      });
      this.pointer = studio.strokesOn(this.frame, {
        begin: (event) => this.begin(event),
        move: (event) => this.stroke(event),
        end: () => this.steps.settle(),
      });
      this.keys = studio.brushByKeys(this);
      this.zoom = studio.paintNear(this);
    }

    /** End the stroke that is being painted: what comes after it is no part of it. */
    rest() {
      this.pointer.rest();
      this.keys.rest();
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
      this.step(() => this.steps.remember(this.strokes));
    }

    undo() {
      this.step(() => this.steps.undo());
    }

    /** The stroke that has begun was none. */
    withdraw() {
      this.step(() => this.steps.withdraw());
    }

    redo() {
      this.step(() => this.steps.redo());
    }

    /** A step, which ends the stroke before it. */
    step(go) {
      this.rest();
      this.share.begin();
      go();
      for (const [way, steps] of Object.entries(this.steps.ways()))
        this.ways[way].disabled = !steps;
    }

    /** Whether a canvas holds what was painted here. */
    painted(canvas) {
      return this.steps.painted(canvas);
    }

    /** Whether nothing that was painted would be lost, or may be. */
    mayLeave() {
      this.rest(); // the question may take the sign that the button was let go
      return !this.steps.painted() || window.confirm(studio.say(this.leaving));
    }

    /** What is asked before that is lost. */
    get leaving() {
      return "Leave the mask as it was, without what you painted?";
    }

    begin(event) {
      this.remember();
      this.last = this.place(event);
      this.rubs = event.buttons === 2; // to its end, whatever button joins it
      this.stroke(event);
    }

    stroke(event) {
      const here = this.place(event);
      this.line(this.last, here, this.rubs);
      this.last = here;
    }

    /** How broad the brush is, in the canvas's pixels. */
    breadth() {
      return (Number(this.size.value) / 250) * Math.max(this.strokes.width, this.strokes.height);
    }

    line(from, to, erases = false) {
      this.share.lay(this.erases || erases ? "destination-out" : "source-over", (draw) => {
        draw.strokeStyle = this.ink;
        draw.lineCap = draw.lineJoin = "round";
        draw.lineWidth = this.breadth();
        draw.beginPath();
        draw.moveTo(...from);
        draw.lineTo(to[0] + 0.01, to[1]);
        draw.stroke();
      });
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

    finish() {
      return this.keep(async () => {
        if (!isEmpty(this.strokes)) return this.kept(this.strokes);
        studio.toast("Nothing is painted, so there is no mask.");
        return "";
      });
    }

    /** A canvas's mask among the studio's images: its reference. */
    async kept(strokes) {
      const answer = await studio.stack.images.store(await maskOf(strokes), true);
      if (!answer.image) throw new Error(answer.error);
      return answer.image;
    }

    /** Close with an answer once all of it is kept; until then, and where it cannot be, what was
     *  painted stays. */
    async keep(make) {
      if (this.keeping) return;
      this.rest();
      this.hold(true);
      this.problem.hidden = true;
      try {
        const answer = await make();
        if (!this.dialog.open) return; // left meanwhile
        this.answer = answer;
        this.dialog.close();
      } catch (error) {
        this.problem.textContent = error.message;
        this.problem.hidden = false;
      } finally {
        this.hold(false);
      }
    }

    /** Let nothing be painted while the masks are kept. */
    hold(on) {
      this.keeping = on;
      for (const part of this.dialog.children) part.inert = on && part !== this.answers;
      this.user.setAttribute("aria-busy", String(on));
    }

    ask() {
      return new Promise((resolve) => {
        studio.askBeforeReload(this.dialog, () => this.steps.painted());
        this.dialog.addEventListener("close", () => {
          this.dialog.remove();
          resolve(this.answer ?? null);
        });
        document.body.append(this.dialog);
        this.dialog.showModal();
      });
    }
  }

  studio.Painter = Painter;

  /** Ask for a mask of the aspect of ``size``: its reference, "" where nothing is painted, or
   *  null when it was cancelled. */
  studio.paint = async function ({ title, size, background, mask }) {
    const [width, height] = studio.canvasSize(size);
    return new Painter(await studio.asStrokes(mask, width, height), background, title).ask();
  };
})(window.studio);
