// What is done to many rows of a long stack at once: mute, fold, and everything with chosen ones.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** The words above the stack: {element, bar, box(card), read()}. ``bar`` acts on chosen rows. */
  studio.bulkOf = function (stack) {
    const chosen = new Set();
    let choosing = false;
    let last = null;
    const word = (text, title, onclick) =>
      el("button", { type: "button", class: "gs-link", title, onclick }, text);
    const mute = word("Mute all", "Leave every row out, or let every row take part again", () => {
      const enabled = stack.cards.every((card) => !card.row.enabled);
      change(stack.cards, { enabled });
    });
    const fold = word("Collapse", "Show each row in two lines", () => {
      const folded = stack.list.classList.toggle("gs-folded");
      fold.textContent = folded ? "Expand" : "Collapse";
    });
    const choose = word("Select", "Choose rows, then do one thing to all of them", () => {
      choosing = !choosing;
      chosen.clear();
      read();
    });
    choose.setAttribute("aria-pressed", "false");
    const masks = word("Masks", "Paint where the rows act, all over one picture", () =>
      studio.paintMasks(stack.cards),
    );
    const count = el("span", { class: "gs-chosen", role: "status" });
    const picked = () => stack.cards.filter((card) => chosen.has(card));
    const acts = [
      word("Mute", "Leave the chosen rows out", () => change(picked(), { enabled: false })),
      word("Unmute", "Let the chosen rows take part", () => change(picked(), { enabled: true })),
      word("Move up", "Move the chosen rows up", () => stack.moveAll(picked(), -1)),
      word("Move down", "Move the chosen rows down", () => stack.moveAll(picked(), 1)),
      word("Duplicate", "Copy the chosen rows below the last of them", () => {
        const rows = picked();
        rows.reduce((after, card) => stack.add(card.row, after) || after, rows.at(-1));
      }),
      word("Delete", "Delete the chosen rows", () => {
        stack.removeAll(picked());
        chosen.clear();
        read();
        choose.focus();
      }),
    ];
    const all = word("All", "Choose every row, or none", () => {
      const every = chosen.size === stack.cards.length;
      chosen.clear();
      if (!every) for (const card of stack.cards) chosen.add(card);
      read();
    });
    const bar = el(
      "div",
      { class: "gs-choosing", role: "toolbar", "aria-label": "Chosen rows", hidden: true },
      count,
      all,
      ...acts,
    );

    function change(cards, changes) {
      for (const card of cards) Object.assign(card.row, changes);
      stack.refresh();
      stack.commit();
    }

    /** A card's own box; with Shift every row from the last one that was pressed. */
    function box(card) {
      return el("input", {
        type: "checkbox",
        class: "gs-choose",
        title: "Choose this row (with Shift: all rows up to it)",
        onclick: (event) => {
          const places = [last, card].map((one) => stack.cards.indexOf(one));
          const range =
            event.shiftKey && places[0] >= 0
              ? stack.cards.slice(Math.min(...places), Math.max(...places) + 1)
              : [card];
          for (const one of range) chosen[event.target.checked ? "add" : "delete"](one);
          last = card;
          read();
        },
      });
    }

    function read() {
      const { cards } = stack;
      for (const card of chosen) if (!cards.includes(card)) chosen.delete(card);
      if (cards.length < 2) choosing = false;
      const muted = cards.length > 0 && cards.every((card) => !card.row.enabled);
      mute.textContent = muted ? "Unmute all" : "Mute all";
      element.hidden = cards.length < 2;
      choose.setAttribute("aria-pressed", String(choosing));
      choose.textContent = choosing ? "Done" : "Select";
      bar.hidden = !choosing;
      stack.list.classList.toggle("gs-choosable", choosing);
      count.textContent = `${chosen.size} of ${cards.length} chosen`;
      for (const act of acts) act.disabled = !chosen.size;
      for (const card of cards) {
        card.chooser.checked = chosen.has(card);
        card.node.classList.toggle("gs-is-chosen", choosing && chosen.has(card));
      }
    }
    const element = el("span", { class: "gs-bulk" }, mute, fold, masks, choose);
    return { element, bar, box, read };
  };
})(window.studio);
