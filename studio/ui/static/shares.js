// The shares of the last image under its rows, and the drift of its weights. Which card was which row
// is known by what the rows hold, so that a reload and undo find them again.
(function (studio) {
  "use strict";
  const { el } = studio;
  const PLACE = "guidance-studio-shares";
  const MOST = 400; // states of rows that are known again

  /** A value as text, whatever the order of its fields. */
  const written = (studio.asText = function (value) {
    if (Array.isArray(value)) return `[${value.map(written).join()}]`;
    if (!value || typeof value !== "object") return JSON.stringify(value ?? null);
    const fields = Object.keys(value).sort();
    return `{${fields.map((name) => `${JSON.stringify(name)}:${written(value[name])}`).join()}}`;
  });

  /** Which row of the last run a row of the page is, by all that each has held since:
   *  {begin(rows), note(row, index), find(rows), forget(), kept()}. */
  studio.rowsOfRun = function (kept) {
    let known = Array.isArray(kept) ? kept : []; // [a row as text, its number in the run]
    return {
      begin(rows) {
        known = rows.map((row, index) => [written(row), index]);
      },
      note(row, index) {
        const text = written(row);
        if (known.some(([one, at]) => at === index && one === text)) return;
        known = [...known, [text, index]].slice(-MOST);
      },
      /** The number of each row in the run, or null; no two rows are the same one. */
      find(rows) {
        const taken = new Set();
        return rows.map((row) => {
          const text = written(row);
          const [, index = null] = known.find(([one, at]) => one === text && !taken.has(at)) || [];
          if (index !== null) taken.add(index);
          return index;
        });
      },
      forget() {
        known = [];
      },
      kept: () => known,
    };
  };

  function stored() {
    try {
      return JSON.parse(sessionStorage.getItem(PLACE));
    } catch {
      return null; // nothing there, or a private window
    }
  }

  /** What the stack shows of the last image: {element, edited(), placed()}. */
  studio.sharesOfStack = function (stack) {
    const rows = studio.rowsOfRun(stored());
    const drift = el("p", { class: "gs-drift", hidden: true });
    let last = null; // what the server said of the last image

    function keep() {
      try {
        sessionStorage.setItem(PLACE, JSON.stringify(rows.kept()));
      } catch {
        /* a private window */
      }
    }
    window.addEventListener("pagehide", keep);

    function show() {
      if (!last) return;
      const { shares } = last;
      const peak = Math.max(...shares.flatMap((share) => share.norm.map((norm) => norm ?? 0)), 0);
      for (const card of stack.cards) {
        const share = shares.find((candidate) => candidate.row === card.runIndex);
        const known = share?.norm.some((norm) => norm !== null);
        const why =
          card.runIndex === null || known
            ? ""
            : studio.whyNoShare(card.row, share?.missing?.length > 0);
        const part = known ? studio.partOfAll(share.norm, shares) : null;
        card.share.show(share, peak, part, why);
      }
      showDrift(rows.kept().length ? last.drift || [] : []);
    }

    /** How far personalised weights lead away from the base without any prompt. */
    function showDrift(drifts) {
      const mean = (norms) => {
        const known = norms.filter((norm) => norm !== null);
        return known.reduce((sum, norm) => sum + norm, 0) / (known.length || 1);
      };
      drift.hidden = !drifts.length;
      drift.title =
        "Mean over the steps of ‖ε(θ′, ∅) − ε(θ, ∅)‖: what the personalised weights change without a prompt";
      drift.textContent = drifts
        .map(
          ({ weights, norm }) => `unconditional drift of ${weights}: ${mean(norm).toPrecision(2)}`,
        )
        .join(" · ");
    }

    /** The rows are those of no image. */
    function forget() {
      rows.forget();
      last = null;
      drift.hidden = true;
      for (const card of stack.cards) {
        card.runIndex = null;
        card.share.show(null, 0, 0);
      }
      keep();
    }

    studio.on("run", ({ own }) => {
      if (!own) return forget();
      last = null; // until the picture is there, what is shown is of the one before
      rows.begin(stack.cards.map((card) => card.row));
      stack.cards.forEach((card, index) => (card.runIndex = index));
      keep();
    });
    studio.on("notes", ({ loaded }) => loaded && forget());
    studio.on("shares", (said) => {
      last = said;
      show();
    });

    return {
      element: drift,
      /** The cards' rows were edited. */
      edited() {
        for (const { row, runIndex } of stack.cards)
          if (runIndex !== null) rows.note(row, runIndex);
      },
      /** The cards were made anew. */
      placed() {
        const found = rows.find(stack.cards.map((card) => card.row));
        stack.cards.forEach((card, index) => (card.runIndex = found[index]));
        show();
      },
    };
  };
})(window.studio);
