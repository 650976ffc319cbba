// The sweeps of earlier days: a fold with what each was; a press loads its form and shows its grid.
(function (studio) {
  "use strict";
  const { el } = studio;
  const say = (text) => studio.say?.(text) ?? text; // as above a grid
  const NONE = "No sweep is kept yet.";
  const LOOKING = "Looking …";
  const FULL = "Its form and its axes are loaded, and its grid, where all of it is made.";

  /** What was varied, in words: "Prompt S/R × Steps". */
  studio.axesInWords = (axes, titles) =>
    axes.map(({ field }) => say(studio.fieldInWords(field, titles))).join(" × ");

  /**
   * The fold.
   * @param fetch answers {sweeps}; where a `stem` is to be removed, {removed}; or {error}
   * @param open is called with a sweep that is pressed
   * @param removed is called with the stem of one that is gone
   * @returns {element, look()}: what is listed is asked for anew where it is open
   */
  studio.earlierSweeps = function ({ fetch, open, removed, titles }) {
    let lines = new Map(); // by their stems
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
      if (window.confirm(studio.say(asked))) gone(stem);
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

    const asked = (what) =>
      fetch(what).catch((error) => ({ error: String(error.message || error) }));
    function tell(text) {
      said.hidden = !text;
      said.textContent = text;
    }

    let turn = 0; // of two looks the later one counts
    async function look() {
      if (!element.open) return;
      const own = (turn += 1);
      if (!lines.size) tell(LOOKING);
      const answer = await asked({});
      if (own !== turn) return;
      if (answer.error) studio.toast(answer.error);
      if (!answer.sweeps) return tell("");
      lines = new Map(answer.sweeps.map((sweep) => [sweep.stem, line(sweep)]));
      list.replaceChildren(...lines.values());
      tell(lines.size ? "" : NONE);
    }
    async function gone(stem) {
      const answer = await asked({ stem });
      if (answer.error) studio.toast(answer.error);
      if (!answer.removed) return;
      turn += 1; // one that began before may list it still
      const stems = [...lines.keys()];
      const at = stems.indexOf(stem);
      const beside = lines.get(stems[at + 1] ?? stems[at - 1]);
      lines.get(stem)?.remove();
      lines.delete(stem);
      tell(lines.size ? "" : NONE);
      (beside ?? element).querySelector("button, summary")?.focus();
      removed(stem);
    }
    return { element, look };
  };
})(window.studio);
