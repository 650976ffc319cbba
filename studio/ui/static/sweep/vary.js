// "Vary this": a press on a field's own name makes it an axis of the sweep.
(function (studio) {
  "use strict";
  const { el, icon } = studio;
  const PLACE = "guidance-studio-sweep";

  function kept() {
    try {
      const found = JSON.parse(sessionStorage.getItem(PLACE) || "[]");
      const plain = (axis) => typeof axis?.field === "string" && typeof axis.values === "string";
      return Array.isArray(found) ? found.filter(plain).slice(0, 3) : [];
    } catch {
      return [];
    }
  }
  function keep(axes) {
    try {
      sessionStorage.setItem(PLACE, JSON.stringify(axes));
    } catch {
      /* a browser that keeps nothing */
    }
  }
  studio.axes = studio.axesOf(kept(), keep);
  const LOST =
    "A field that the sweep varies went with its row; its values wait for another in the tab Sweep.";
  studio.axes.on((why) => why === "lost" && studio.toast(LOST));

  studio.AXES_FULL = "Three fields are varied already: take one away in the tab Sweep.";
  /** Make a field an axis, and go to its values. */
  studio.vary = function (path, values) {
    if (studio.axes.add(path, values) === "full") {
      studio.toast(studio.AXES_FULL);
      return;
    }
    studio.showTab("sweep");
    studio.emit("sweepfocus", { path });
  };

  /** The button that varies a field of a row: an icon; its card calls `show` as it changes. */
  studio.varyRow = (card, name, field, value) =>
    studio.varyButton({
      title: `the ${name} of this row`,
      path: () => `rows.${card.stack.cards.indexOf(card)}.${name}`,
      values: () => studio.valuesAround(field, value()),
    });

  /**
   * A button that varies a field, pressed while it is varied.
   * @param path of the field, as it is now
   * @param values to begin with
   * @param text what stands on it; an icon without
   */
  studio.varyButton = function ({ title, path, values, text }) {
    const label = `Vary ${title} in a sweep`;
    const node = el(
      "button",
      {
        type: "button",
        class: text ? "gs-field-name gs-vary" : "gs-tool gs-vary",
        "aria-label": text ? null : label, // else the text is its name, as it was before
        title: label,
        onclick: () => studio.vary(path(), values()),
      },
      text || null,
      icon("vary"),
    );
    const show = () => node.setAttribute("aria-pressed", String(studio.axes.has(path())));
    if (text) studio.axes.on((why) => why !== "rows" && show());
    show();
    return { element: node, show };
  };
})(window.studio);
