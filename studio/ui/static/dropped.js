// What is dropped on the page: files, and of a folder the pictures that lie in it, by name.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /** Everything in a folder that was dropped; a browser gives it in parts. */
  async function inside(folder) {
    const reader = folder.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!some.length) return found;
      found.push(...some);
    }
  }
  const fileOf = (entry) => new Promise((done, fail) => entry.file(done, fail));

  /** The pictures of a folder, as the verb generate takes them: not those of folders in it. */
  async function picturesIn(folder) {
    const files = (await inside(folder)).filter(({ isFile, name }) => isFile && name[0] !== ".");
    files.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    const found = await Promise.all(files.map(fileOf));
    return found.filter(studio.isPicture);
  }

  const MODELS = /\.(safetensors|sft|ckpt|pth?|gguf|bin)$/i;
  /** Why the page does not open a file of this name; "" where it does. ``accepted``: suffixes, as a
   *  field of files lists them. */
  studio.notOpened = function (name, accepted) {
    const ends = accepted.toLowerCase().split(/\s*,\s*/);
    if (ends.some((end) => end && name.toLowerCase().endsWith(end))) return "";
    return MODELS.test(name)
      ? `${name} is a model's file, and is not opened here: models lie in the folders of the tab Models.`
      : `${name} is not opened here: presets (JSON), pictures, texts (TXT) and tables of styles (CSV) are.`;
  };

  /** What was dropped, with the pictures of each folder in its place; one that holds none is told of. */
  studio.filesDropped = async function (transfer) {
    // The browser forgets what it brings once the event is over.
    const plain = [...transfer.files];
    const entries = [...(transfer.items || [])]
      .filter(({ kind }) => kind === "file")
      .map((item) => item.webkitGetAsEntry?.() ?? null);
    if (!entries.some((entry) => entry?.isDirectory)) return plain;
    const found = entries.map(async (entry, at) => {
      if (!entry?.isDirectory) return plain[at] ? [plain[at]] : [];
      const pictures = await picturesIn(entry).catch(() => []);
      if (!pictures.length) studio.toast(`${entry.name} holds no picture.`);
      return pictures;
    });
    return (await Promise.all(found)).flat();
  };
})(window.studio);
