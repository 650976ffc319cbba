// Whether a row takes part: the eye and solo.
(function (studio) {
  "use strict";
  const { el, button, icon } = studio;

  studio.rowEditors = studio.rowEditors || {};
  studio.rowEditors.flags = function (card) {
    const eye = button("eye", "Row takes part", () => card.edit({ enabled: !card.row.enabled }), {
      class: "gs-tool gs-eye",
    });
    const solo = el(
      "button",
      {
        type: "button",
        class: "gs-tool gs-solo",
        "aria-label": "Solo: only solo rows take part",
        title: "Solo: only solo rows take part",
        onclick: () => card.edit({ solo: !card.row.solo }),
      },
      "S",
    );
    return {
      element: el("span", { class: "gs-flags" }, eye, solo),
      read(row) {
        eye.replaceChildren(icon(row.enabled ? "eye" : "hidden"));
        eye.setAttribute("aria-pressed", String(row.enabled));
        solo.setAttribute("aria-pressed", String(row.solo));
      },
      write: () => ({ enabled: card.row.enabled, solo: card.row.solo }),
    };
  };
})(window.studio);
