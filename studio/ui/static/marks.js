// A picture's star and its way into the bin, where it is looked at: on the stage, enlarged, in the strip.
(function (studio) {
  "use strict";
  const { el, button, word } = studio;
  const known = new Map(); // by its id: {starred, gone}
  let ask = () => {}; // asks the history for something

  function star(id) {
    const one = known.get(id);
    if (!one || one.gone) return;
    one.starred = !one.starred; // what the server answers is the truth
    ask({ do: "mark", ids: [id], said: { starred: one.starred } });
    redraw();
  }
  const remove = (id) => known.has(id) && !known.get(id).gone && ask({ do: "delete", ids: [id] });
  const restore = (ids) => ask({ do: "restore", ids });

  /** What a key does with a picture, as in the History: whether it was one of these. */
  studio.markByKey = function ({ key, ctrlKey, metaKey, altKey, repeat }, id) {
    if (ctrlKey || metaKey || altKey || repeat) return false;
    if (key === "s") star(id);
    else if (key === "Delete") remove(id);
    else return false;
    return true;
  };

  /** The buttons of a picture, by its id; none where the history does not know it. */
  studio.marksNode = function (id) {
    const node = el(
      "span",
      { class: "gs-mark-tools", "data-marks-of": id || "" },
      button("star", "Star", () => star(id)),
      button("trash", "Delete", () => remove(id)),
      word("Bring back", () => restore([id])),
    );
    write(node);
    queueMicrotask(() => write(node)); // once it stands in what looks otherwise
    return node;
  };

  function showStar(node, starred) {
    const label = starred ? "Take the star away" : "Star";
    node.title = label;
    node.setAttribute("aria-label", label);
    node.setAttribute("aria-pressed", String(Boolean(starred)));
  }

  /** The star of a picture in a dialog, a button that says itself what it does; `mark(starred)` asks for it. */
  studio.starButton = function (record, mark) {
    const node = button("star", "Star", () => {
      take(!record.starred);
      mark(record.starred);
    });
    const take = (starred) => showStar(node, (record.starred = starred));
    node.dataset.starOf = record.id;
    node.addEventListener("gs-star", ({ detail }) => take(detail));
    take(record.starred);
    return node;
  };

  /** What was asked to be said of pictures was refused: their stars are as before. */
  studio.unmarked = function ({ ids = [], said = {} }) {
    if (!("starred" in said)) return;
    for (const node of document.querySelectorAll("[data-star-of]"))
      if (ids.includes(node.dataset.starOf))
        node.dispatchEvent(new CustomEvent("gs-star", { detail: !said.starred }));
  };

  /** Changed in place: the keyboard may be on one of them. */
  function write(node) {
    const one = known.get(node.dataset.marksOf);
    const [starring, deleting, back] = node.children;
    const held = document.activeElement; // asked later, one that is hidden now has lost it already
    node.hidden = !one;
    starring.hidden = deleting.hidden = Boolean(one?.gone);
    back.hidden = !one?.gone;
    if (node.contains(held) && held.hidden) (one?.gone ? back : deleting).focus();
    showStar(starring, one?.starred);
    node.closest("figure, dialog")?.classList.toggle("gs-gone", Boolean(one?.gone));
  }

  function redraw() {
    for (const node of document.querySelectorAll("[data-marks-of]")) write(node);
  }

  /** The strip is always on the page: it asks for the others too. */
  studio.marksBy = (tell) => (ask = tell);
  studio.on("marks", redraw);
  let strip = new Set(); // the pictures of which it says how they stand
  studio.on("strip", (items) => {
    strip = new Set(items.map(({ id }) => id));
    for (const { id, starred } of items) known.set(id, { starred: Boolean(starred), gone: false });
    redraw();
  });
  studio.on("marked", (answer) => {
    // How the others stand nobody says; a picture that is gone has no star.
    if (answer.refused?.do === "mark") {
      for (const id of answer.refused.ids ?? []) if (!strip.has(id)) known.delete(id);
      studio.unmarked(answer.refused);
    }
    for (const id of answer.deleted || []) if (known.has(id)) known.get(id).gone = true;
    for (const id of answer.restored || []) if (known.has(id)) known.get(id).gone = false;
    redraw();
    studio.toldOfHistory(answer, restore);
  });
})(window.studio);
