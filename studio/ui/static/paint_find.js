// What is found in the picture under a mask, by words, is painted at one press.
(function (studio) {
  "use strict";
  const { el, word } = studio;

  /** The picture under a painter's canvas, as large as that, as a data URI; "" for none. */
  function under({ frame, strokes }) {
    const shown = frame.querySelector("img");
    if (!shown || !shown.naturalWidth) return "";
    const { width, height } = strokes;
    const canvas = el("canvas", { width, height });
    canvas.getContext("2d").drawImage(shown, 0, 0, width, height);
    return canvas.toDataURL("image/png");
  }

  /** Paint what words find in the picture, as one step of undo. */
  async function find(painter, words, button) {
    const { problem } = painter;
    problem.hidden = true;
    painter.rest();
    const canvas = painter.strokes;
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
    const answer = await studio.stack.images.findParts(under(painter), words);
    const found =
      answer.mask &&
      (await studio.asStrokes(answer.mask, canvas.width, canvas.height, painter.ink));
    button.disabled = false;
    button.removeAttribute("aria-busy");
    if (!painter.dialog.open || painter.strokes !== canvas) return; // left, or another row's by now
    if (!found) {
      problem.textContent = answer.error;
      problem.hidden = false;
      return;
    }
    painter.remember();
    painter.draw.globalCompositeOperation = "source-over";
    painter.draw.drawImage(found, 0, 0);
  }

  /** A line that finds parts of the picture; null over an empty canvas. */
  studio.paintFinder = function (painter, background) {
    if (!background) return null;
    const words = el("input", {
      type: "text",
      maxlength: 200,
      placeholder: "faces",
      "aria-label": "What to find in the picture",
      title: "Words, with commas between. Empty: faces",
    });
    const button = word("Find and paint", () => find(painter, words.value, button));
    words.addEventListener("keydown", (event) => {
      event.stopPropagation(); // keys of the brush
      if (event.key === "Escape") return painter.frame.focus();
      if (event.key !== "Enter" || event.isComposing || button.disabled) return;
      event.preventDefault();
      button.click();
    });
    return el("div", { class: "gs-line gs-finder" }, words, button);
  };
})(window.studio);
