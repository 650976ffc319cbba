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
    const sizes = function () {
      const models = studio.stack?.models;
      return studio.aspectSizes(models?.entryOf(models.base), models?.entryOf(models.vae));
    };
    const select = el("select", {
      class: "gs-select",
      "aria-label": "Aspect ratio",
      onchange: () => {
        const [width, height] = sizes().get(select.value);
        const own = width === height; // the base's, whichever comes to be chosen
        studio.setField("width", own ? null : width);
        studio.setField("height", own ? null : height);
        show();
      },
    });
    function show() {
      const known = sizes();
      const now = studio.aspectOf(known, studio.pictureSize());
      const most = Math.min(studio.mostOf("width"), studio.mostOf("height"));
      const options = [...known].map(([name, [width, height]]) =>
        el(
          "option",
          { value: name, translate: "no", disabled: Math.max(width, height) > most },
          apart(`${name} · ${width} × ${height}`),
        ),
      );
      const other = el("option", { value: "", disabled: true }, "–");
      const beyond = studio.beyondMost(known, most);
      const why = beyond ? [el("option", { value: "beyond", disabled: true }, beyond)] : [];
      select.replaceChildren(...(now ? [] : [other]), ...options, ...why);
      select.value = now;
    }
    // The base, its autoencoder and the size may have changed since.
    for (const kind of ["pointerdown", "focus"]) select.addEventListener(kind, show);
    for (const told of ["form", "models", "base", "vae"]) studio.on(told, show);
    const name = el("span", { class: "gs-field-name", "aria-hidden": "true" }, "Aspect");
    element.replaceChildren(el("div", { class: "gs-field-box gs-aspect" }, name, select));
    show();
  };
})(window.studio);
