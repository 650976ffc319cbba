// Notes on what was opened: all of them, in a list that stays until it is closed.
(function (studio) {
  "use strict";
  const { el, button } = studio;

  /** What went wrong with the last run is over once another preset is loaded. */
  function settleFailure() {
    const bar = document.querySelector('.gs-progress[data-state="failed"]');
    if (!bar) return;
    bar.dataset.state = "idle";
    bar.querySelector(".gs-progress-text").textContent = "Ready";
  }

  // What was refused for a field is over once that field is right.
  let refused = "";
  studio.on("fault", ({ field, text }) => {
    const line = document.querySelector('.gs-progress[data-state="failed"] .gs-progress-text');
    if (!text && refused && line?.textContent.endsWith(refused)) settleFailure();
    refused = field ? `: ${text}` : "";
  });

  studio.on("notes", ({ title, notes }) => {
    document.querySelector(".gs-notices")?.remove();
    settleFailure();
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
