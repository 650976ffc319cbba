// The folded part *Advanced*: unfolded where a field inside it is wrong, or is to be reached; its head
// says what it holds, so that nothing in it acts unseen.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const ABOVE = /^(rows|base|name|description|omega|decoupling)\b/; // in sight at all times
  const ABOVE_TOO = /^sampler\.(scheduler|effort|steps|count|seed|width|height)$/;

  const MOST_NAMED = 3; // of the fields that the head names

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

  /** Which fields of the folded part are not as a new form has them: their names, in its order, which
   *  begins with the start. */
  studio.heldInside = (form, defaults) =>
    ["init", ...Object.keys(defaults).filter((name) => name !== "init")].filter((name) => {
      const [value, usual] = [form[name] ?? "", defaults[name] ?? ""]; // Gradio's null
      return name in form && JSON.stringify(value) !== JSON.stringify(usual);
    });

  /** These fields as a line: the first few by name, a mask beside the picture that it is of. */
  studio.heldLine = function (names, form, labels) {
    const called = (name) => labels[name === "init" && form.init.mask ? "init_mask" : name] || name;
    const shown = names.slice(0, MOST_NAMED).map(called);
    const more = names.length - shown.length;
    return [...shown, ...(more ? [`and ${more} more`] : [])].join(" · ");
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

  const inside = Object.fromEntries(
    Object.entries(studio.defaults)
      .filter(([path]) => studio.isAdvanced(path))
      .map(([path, usual]) => [name(path), usual]),
  );
  const line = studio.el("span", { class: "gs-advanced-holds" });
  studio.on("form", (text) => {
    const title = panel()?.querySelector(":scope > button > span");
    if (!title) return;
    const form = JSON.parse(text);
    line.textContent = studio.heldLine(studio.heldInside(form, inside), form, studio.labels);
    if (title.nextSibling !== line) title.after(line);
  });

  // Beside a fault: one press that empties its field.
  document.addEventListener("click", async ({ target }) => {
    const path = target.closest?.("[data-blank]")?.dataset.blank;
    if (path && (await unfold(path))) studio.setField(name(path), "");
  });
})(window.studio);
