// The size of the picture by its aspect ratio: about as many pixels as the base's own square.
(function (studio) {
  "use strict";
  const { el } = studio;
  const apart = (text) => `\u2066${text}\u2069`; // reads the same beside Arabic

  /** The sizes of the aspect ratios under a base, in the pixels of the autoencoder that decodes it. */
  studio.aspectSizes = function (base, vae) {
    const larger = studio.largerBy(base, vae);
    const sizes = Object.entries(base?.aspects || {});
    return new Map(sizes.map(([name, size]) => [name, size.map((edge) => edge * larger)]));
  };

  /** The multiple that is nearest to an edge, as a factor. */
  function nearest(edge, multiple) {
    const below = Math.max(multiple, Math.floor(edge / multiple) * multiple);
    return edge / below < (below + multiple) / edge ? below : below + multiple;
  }

  /**
   * The sizes that pictures of the form lead to, by what they are called: that of each in the base's
   * multiples, and its aspect at about as many pixels as the base's own square.
   * @param pictures [[what it is called, [width, height]], …]
   */
  studio.sizesLike = function (pictures, base, vae) {
    const multiple = (base?.multiple || 8) * studio.largerBy(base, vae);
    const native = studio.nativeSize(base, vae) || 512;
    const found = new Map();
    for (const [called, size] of pictures) {
      const scale = native / Math.sqrt(size[0] * size[1]);
      const [own, near] = [1, scale].map((by) => size.map((edge) => nearest(edge * by, multiple)));
      found.set(`As ${called}`, own);
      if (`${near}` !== `${own}`) found.set(`Aspect of ${called}`, near);
    }
    return found;
  };

  /** The pictures of a form that say what is where, [[what it is called, reference], …]. */
  studio.picturesOf = ({ init, rows }) =>
    [
      ["the start picture", init?.image],
      ...rows.flatMap((row, at) =>
        studio.controlsOf(row).map(({ image }) => [`the control image of row ${at + 1}`, image]),
      ),
    ].filter(([, reference]) => reference);

  /** Which of the aspect ratios a size is, "" where it is none of them. */
  studio.aspectOf = (sizes, [width, height]) =>
    [...sizes].find(([, [w, h]]) => w === width && h === height)?.[0] ?? "";

  /** Why some of the sizes cannot be chosen, as a line of the list; "" where all can. */
  studio.beyondMost = (sizes, most) =>
    [...sizes.values()].flat().some((edge) => edge > most)
      ? `A side has at most ${most} pixels on this page.`
      : "";

  /** The list of them, each with the size that results; choosing one fills in width and height. */
  studio.mountAspect = function (element) {
    let pictures = []; // of the form, with their sizes
    const sizes = function () {
      const models = studio.stack?.models;
      const decoded = [models?.entryOf(models.base), models?.entryOf(models.vae)];
      return new Map([
        ...studio.aspectSizes(...decoded),
        ...studio.sizesLike(pictures, ...decoded),
      ]);
    };
    const select = el("select", {
      class: "gs-select",
      "aria-label": "Aspect ratio",
      onchange: () => {
        const [width, height] = sizes().get(select.value);
        const own = select.value === "1:1"; // the base's, whichever comes to be chosen
        studio.setField("width", own ? null : width);
        studio.setField("height", own ? null : height);
        show();
      },
    });
    function show() {
      const known = sizes();
      const now = studio.aspectOf(known, studio.pictureSize());
      const most = Math.min(studio.mostOf("width"), studio.mostOf("height"));
      const options = [...known].map(([name, [width, height]]) => {
        const plain = /^[\d:]+$/.test(name); // the same in every language
        const text = `${name} · ${width} × ${height}`;
        const disabled = Math.max(width, height) > most;
        const translate = plain ? "no" : null;
        return el("option", { value: name, translate, disabled }, plain ? apart(text) : text);
      });
      const other = el("option", { value: "", disabled: true }, "–");
      const beyond = studio.beyondMost(known, most);
      const why = beyond ? [el("option", { value: "beyond", disabled: true }, beyond)] : [];
      select.replaceChildren(...(now ? [] : [other]), ...options, ...why);
      select.value = now;
    }
    const measured = new Map(); // sizes by reference
    /** Ask how large the pictures of the form are, each once. */
    async function measure(form) {
      const named = studio.picturesOf(form);
      const asked = named.map(([, reference]) => reference);
      for (const gone of [...measured.keys()].filter((one) => !asked.includes(one)))
        measured.delete(gone);
      for (const one of asked)
        if (!measured.has(one)) measured.set(one, studio.stack.images.sizeOf(one));
      const found = await Promise.all(asked.map((one) => measured.get(one)));
      pictures = named.map(([called], at) => [called, found[at]]).filter(([, size]) => size);
      show();
    }
    studio.on("form", (text) => measure(JSON.parse(text)));
    // The base, its autoencoder and the size may have changed since.
    for (const kind of ["pointerdown", "focus"]) select.addEventListener(kind, show);
    for (const told of ["form", "models", "base", "vae"]) studio.on(told, show);
    const name = el("span", { class: "gs-field-name", "aria-hidden": "true" }, "Aspect");
    element.replaceChildren(el("div", { class: "gs-field-box gs-aspect" }, name, select));
    show();
  };
})(window.studio);
