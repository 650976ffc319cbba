// The cells of the history's grid, and what keys do in them.
(function (studio) {
  "use strict";
  const { el, icon } = studio;

  /**
   * Draws the cell of an item, or of `undefined` while it is on its way.
   * @param tools chosen(id); choose(item, on); chooseTo(item), all from the last one to it; open(item);
   *   whole(id), a promise of the picture's address
   */
  studio.historyCell =
    ({ chosen, choose, chooseTo, open, whole }) =>
    (item, index) => {
      if (!item) return el("div", { class: "gs-cell gs-cell-empty", "data-index": index });
      const picture = el(
        "button",
        {
          type: "button",
          class: "gs-cell-open",
          tabindex: index === 0 ? "0" : "-1",
          title: item.prompts || item.title,
          "data-own": "title aria-label",
          "aria-label": item.starred ? studio.say(`${item.title}, starred`) : item.title,
          onclick: (event) => {
            if (event.shiftKey) chooseTo(item);
            else if (event.ctrlKey || event.metaKey) choose(item, !chosen(item.id));
            else open(item);
          },
        },
        item.thumb
          ? el("img", { src: item.thumb, alt: "" })
          : el("span", { class: "gs-blank" }, icon("image")),
      );
      if (item.thumb) studio.givesPicture(picture, () => whole(item.id));
      return el(
        "div",
        {
          class: `gs-cell${chosen(item.id) ? " gs-chosen" : ""}`,
          role: "listitem",
          "data-index": index,
        },
        picture,
        el("input", {
          type: "checkbox",
          class: "gs-cell-choose gs-check",
          tabindex: "-1",
          checked: chosen(item.id),
          "aria-label": `Choose ${item.title}`,
          onclick: (event) => {
            if (event.shiftKey) chooseTo(item);
            else choose(item, event.target.checked);
          },
        }),
        item.starred ? el("span", { class: "gs-cell-star" }, icon("star")) : null,
      );
    };

  /** The keyboard in a grid of pictures: from one to the next, choose, star, delete. */
  studio.historyKeys = function (grid, { chosen, choose, chooseTo, ask }) {
    grid.node.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own
      const at = Number(event.target.closest("[data-index]")?.dataset.index);
      const step = {
        ArrowRight: 1,
        ArrowLeft: -1,
        ArrowDown: grid.columns(),
        ArrowUp: -grid.columns(),
        Home: -at,
        End: grid.total() - 1 - at,
      }[studio.along(event.key)];
      const item = grid.at(at);
      if (event.key === " " && item && event.shiftKey) chooseTo(item);
      else if (event.key === " " && item) choose(item, !chosen(item.id));
      else if (event.key === "s" && item && !event.repeat)
        ask({ do: "mark", ids: [item.id], said: { starred: !item.starred } });
      else if (event.key === "Delete" && item && !event.repeat)
        ask({ do: "delete", ids: [item.id] });
      else if (step === undefined) return;
      else grid.focus(Math.max(0, Math.min(grid.total() - 1, at + step)));
      event.preventDefault();
    });
  };
})(window.studio);
