// Notes on what was opened: all of them, in a list that stays until it is closed.
(function (studio) {
  "use strict";
  const { el, button } = studio;

  studio.on("notes", ({ title, notes }) => {
    document.querySelector(".gs-notices")?.remove();
    if (!notes.length) return;
    const box = el(
      "section",
      { class: "gs-notices", "aria-label": "Notes", role: "status" },
      el(
        "div",
        { class: "gs-notices-head" },
        el("strong", {}, `${title}: ${notes.length} ${notes.length === 1 ? "note" : "notes"}`),
        button("close", "Close the notes", () => box.remove()),
      ),
      el("ul", {}, ...notes.map((note) => el("li", {}, note))),
    );
    document.getElementById("gs-heading")?.before(box);
    box.scrollIntoView({ block: "nearest" });
  });
})(window.studio);
