// The folded part *Advanced*: unfolded where a field inside it is wrong, or is to be reached.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const ABOVE = /^(rows|base|name|description|omega|decoupling)\b/; // in sight at all times
  const ABOVE_TOO = /^sampler\.(scheduler|effort|steps|count|seed|width|height)$/;

  /** Whether a field, by its dotted path, stands in the folded part. */
  studio.isAdvanced = (path) => Boolean(path) && !ABOVE.test(path) && !ABOVE_TOO.test(path);

  /** Says of each fault whether to unfold for it: once, so that who folds it again is left alone. */
  studio.unfoldsFor = function () {
    let last = "";
    return function ({ field, text }) {
      const now = text && studio.isAdvanced(field) ? `${field}: ${text}` : "";
      const opens = Boolean(now) && now !== last;
      last = now;
      return opens;
    };
  };
  if (!studio.on) return; // without a page

  const name = (path) => path.replace(/^sampler\./, "").replaceAll(".", "_");
  const panel = () => document.getElementById("gs-advanced");

  /** Unfold it: the place of the field, which can be set from then on. */
  async function unfold(path) {
    const body = panel()?.querySelector('[data-testid="accordion-content"]');
    if (body && getComputedStyle(body).display === "none")
      panel().querySelector(":scope > button").click();
    const shown = path.startsWith("init") ? "#gs-start" : `[data-path="${path}"]`;
    return studio.until(() => panel()?.querySelector(shown), 30000);
  }

  const opens = studio.unfoldsFor();
  studio.on("fault", (fault) => opens(fault) && unfold(fault.field));

  // Beside a fault: one press that empties its field.
  document.addEventListener("click", async ({ target }) => {
    const path = target.closest?.("[data-blank]")?.dataset.blank;
    if (path && (await unfold(path))) studio.setField(name(path), "");
  });
})(window.studio);
