// What a field of files does not take is told of in the page's words, and the rest goes on: Gradio's own
// are English, and lie over the field until they are closed.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  const TRAINING = "#gs-train-files";
  const FIELDS = `${TRAINING} input[type=file], #gs-top input[type=file]`;

  /** Why a field that lists `accepted` suffixes does not take a file; "" where it does. */
  studio.notTaken = function (file, { accepted, training }) {
    const { name } = file;
    const large = studio.tooLarge(file);
    if (large) return large;
    const wrong = accepted ? studio.notOpened(name, accepted) : "";
    return wrong && training ? `${name} is neither a picture nor a caption` : wrong;
  };

  /** Those of the files that a field takes; of each of the others the page says why not. */
  function taken(input, files) {
    const field = {
      accepted: input.accept,
      training: Boolean(input.closest(TRAINING)),
    };
    return files.filter((file) => {
      const wrong = studio.notTaken(file, field);
      if (wrong) studio.toast(wrong);
      return !wrong;
    });
  }

  const looked = new WeakSet(); // at the files of these events
  /** Let Gradio see those of the files that its field takes; answers them. */
  studio.handTo = function (input, files) {
    const good = taken(input, files);
    const given = new DataTransfer();
    for (const file of good) given.items.add(file);
    input.files = given.files;
    const event = new Event("change", { bubbles: true });
    looked.add(event);
    if (good.length) input.dispatchEvent(event);
    return good;
  };

  /** A text of lines that is opened is asked about, as one that is dropped. */
  async function opened(input, files) {
    const lines = files.length ? await studio.linesIn(files[0]) : null;
    if (!lines) return studio.handTo(input, files);
    input.value = ""; // the same file may be chosen again
    await studio.filled;
    return studio.askLines(files[0], lines);
  }

  document.addEventListener(
    "change",
    (event) => {
      const input = event.target;
      if (looked.has(event) || !input.matches?.(FIELDS)) return;
      event.stopImmediatePropagation();
      const files = [...input.files];
      if (input.closest(TRAINING)) studio.handTo(input, files);
      else opened(input, files);
    },
    true,
  );

  document.addEventListener(
    "drop",
    (event) => {
      if (!event.target.closest?.(TRAINING) || !event.dataTransfer?.files.length) return;
      event.preventDefault();
      event.stopPropagation();
      studio.filesDropped(event.dataTransfer).then(studio.toTraining);
      // Gradio hears that what was held over its field is gone.
      event.target.dispatchEvent(
        new DragEvent("drop", { bubbles: true, dataTransfer: new DataTransfer() }),
      );
    },
    true,
  );
})(window.studio);
