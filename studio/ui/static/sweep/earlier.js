// The sweeps of earlier days: a fold with what each was; a press loads its form and shows its grid.
(function (studio) {
  "use strict";
  const { el } = studio;
  const say = (text) => studio.say?.(text) ?? text; // as above a grid
  const NONE = "No sweep is kept yet.";
  const FULL = "Its form and its axes are loaded, and what is made is shown.";

  /** What was varied, in words: "Prompt S/R × Steps". */
  studio.axesInWords = (axes, titles) =>
    axes.map(({ field }) => say(studio.fieldInWords(field, titles))).join(" × ");

  /**
   * The fold.
   * @param fetch answers {sweeps} or {error}; `stem` is removed before
   * @param open is called with a sweep that is pressed
   * @returns {element, look()}: what is listed is asked for anew where it is open
   */
  studio.earlierSweeps = function ({ fetch, open, titles }) {
    const list = el("ul", { class: "gs-earlier-list" });
    const said = el("p", { class: "gs-empty", role: "status", hidden: true });
    const element = el(
      "details",
      { class: "gs-earlier", ontoggle: () => look() },
      el("summary", {}, "Earlier sweeps"),
      said,
      list,
    );

    function remove({ stem, made }) {
      const asked =
        made === 1
          ? "Remove this sweep and its picture for good?"
          : `Remove this sweep and its ${made} pictures for good?`;
      if (window.confirm(studio.say(asked))) look(stem);
    }

    function line(sweep) {
      const { name, axes, made, total, when, src } = sweep;
      const day = new Date(1000 * when).toLocaleString(document.documentElement.lang || undefined);
      return el(
        "li",
        { class: "gs-earlier-line" },
        el(
          "button",
          { type: "button", class: "gs-earlier-open", title: FULL, onclick: () => open(sweep) },
          src ? el("img", { src, alt: "" }) : null,
          el(
            "span",
            {},
            el("strong", { dir: "auto", translate: "no" }, name || "–"),
            el("span", { translate: "no" }, studio.axesInWords(axes, titles)),
            el("span", { class: "gs-field-help" }, `${made} of ${total} · ${day}`),
          ),
        ),
        studio.button("trash", "Remove this sweep", () => remove(sweep)),
      );
    }

    async function look(stem) {
      if (!element.open) return;
      const asked = stem ? { stem } : {};
      const answer = await fetch(asked).catch((error) => ({
        error: String(error.message || error),
      }));
      if (answer.error) studio.toast(answer.error);
      if (!answer.sweeps) return;
      list.replaceChildren(...answer.sweeps.map(line));
      said.hidden = answer.sweeps.length > 0;
      said.textContent = NONE;
    }
    return { element, look: () => look() };
  };
})(window.studio);
