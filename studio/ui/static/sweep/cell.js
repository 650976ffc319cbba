// One cell of a sweep, large: use it, sweep around it, keep its picture, step to its neighbours.
(function (studio) {
  "use strict";
  const { el } = studio;
  const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  /**
   * Open the dialog of a cell.
   * @param grid the grid that it stands in
   * @param load answers {src} or {error} for a place
   * @param act is called with "use" or "around" and the place
   * @param keep is called with the place of one that goes into the history
   */
  studio.openCell = function (place, { grid, titles, load, act, keep }) {
    let at = place;
    const name = el("strong", { dir: "auto", translate: "no" });
    const picture = el("img", { class: "gs-sweep-large", alt: "", "data-own": "alt" });
    const problem = el("p", { class: "gs-error", role: "alert", hidden: true });
    const save = el("a", { class: "gs-word", download: "cell.png" }, "Download PNG");

    async function show(next) {
      at = next;
      const words = studio.cellInWords(grid.axes(), at, titles);
      name.textContent = picture.alt = words;
      picture.src = grid.small(at); // until the whole one is here
      save.removeAttribute("href");
      const answer = await load(at).catch((error) => ({ error: String(error.message || error) }));
      if (at !== next) return;
      problem.textContent = answer.error || "";
      problem.hidden = !answer.error;
      if (!answer.src) return;
      picture.src = save.href = answer.src;
      save.download = `${words.replaceAll(/[^\p{L}\p{N}.]+/gu, "-").slice(0, 80)}.png`;
    }
    function step(event) {
      const by = STEPS[studio.along(event.key)];
      if (!by) return;
      event.preventDefault();
      const next = studio.besideCell(at, by, grid.sizes());
      if (grid.has(next)) show(next);
    }
    const word = (label, what, title) =>
      el(
        "button",
        {
          type: "button",
          class: "gs-word",
          title,
          onclick: () => {
            dialog.close();
            act(what, at);
          },
        },
        label,
      );
    const dialog = el(
      "dialog",
      {
        class: "gs-painter gs-sweep-dialog",
        "aria-label": "A cell of the sweep",
        onclose: () => {
          dialog.remove();
          grid.focus(at);
        },
        onclick: (event) => event.target === dialog && dialog.close(),
        onkeydown: step,
      },
      el(
        "div",
        { class: "gs-line" },
        name,
        studio.button("close", "Close", () => dialog.close()),
      ),
      studio.enlarges(picture),
      problem,
      el(
        "div",
        { class: "gs-line gs-answers" },
        word("Use it", "use", "Load this cell's preset; Ctrl+Z brings back what was there"),
        word("Sweep around it", "around", "New axes centred on it, with half the step"),
        el(
          "button",
          {
            type: "button",
            class: "gs-word",
            title: "Among the results too, where it can be starred and found again",
            onclick: () => keep(at),
          },
          "Keep in the History",
        ),
        save,
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    show(place);
  };
})(window.studio);
