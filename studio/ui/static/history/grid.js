// A grid of any number of pictures: only what is in sight is in the document, the rest is height.
(function (studio) {
  "use strict";
  const { el } = studio;
  const BLOCK = 60; // pictures that are asked for at a time
  const OVERSCAN = 2; // rows drawn above and below what is in sight
  const SIZES = { Small: 88, Medium: 132, Large: 220 }; // pixels of a cell at least
  const KEPT = "guidance-studio-thumbnails";

  /** What of a list is in sight: {from, to} as indices, {top, height} in pixels. */
  studio.windowOf = function (total, columns, rowHeight, scroll, height) {
    const rows = Math.ceil(total / columns);
    const first = Math.max(0, Math.floor(scroll / rowHeight) - OVERSCAN);
    const last = Math.min(rows, Math.ceil((scroll + height) / rowHeight) + OVERSCAN);
    return {
      from: first * columns,
      to: Math.min(total, last * columns),
      top: first * rowHeight,
      height: rows * rowHeight,
    };
  };

  /** The blocks of a range that are not there yet. */
  studio.blocksOf = function (from, to, known) {
    const wanted = [];
    for (let block = Math.floor(from / BLOCK); block * BLOCK < to; block += 1)
      if (!known.has(block)) wanted.push(block);
    return wanted;
  };

  /**
   * A virtual grid.
   * @param cell pixels that one is wide at least
   * @param draw the cell of an item, or of `undefined` while it is on its way
   * @param fetch asks for {first, count}; what comes is handed to `fill`
   */
  studio.virtualGrid = function ({ cell, draw, fetch, label }) {
    const inner = el("div", { class: "gs-virtual-rows" });
    const spacer = el("div", { class: "gs-virtual-space" }, inner);
    const node = el("div", { class: "gs-virtual", role: "list", "aria-label": label }, spacer);
    let items = new Map();
    let asked = new Set();
    let total = null; // until there is an answer
    let drawn = new Map(); // what is in the document, by index: {item, cell}
    let shown = "";
    let waiting = false;
    let stale = false; // what is known was asked for before the last reset

    const columns = () => Math.max(2, Math.floor((node.clientWidth || 400) / cell));
    const rowHeight = () => (node.clientWidth || 400) / columns();

    /** Bring the cells in sight into the document; those that stand there as they are stay. */
    function place({ from, to }) {
      const cells = new Map();
      for (let index = from; index < to; index += 1) {
        const item = items.get(index);
        const known = drawn.get(index);
        const stays = known && known.item === item;
        cells.set(index, stays ? known : { item, cell: draw(item, index) });
      }
      for (const [index, one] of drawn) if (cells.get(index) !== one) one.cell.remove();
      let next = inner.firstChild;
      for (const { cell } of cells.values())
        if (cell === next) next = next.nextSibling;
        else inner.insertBefore(cell, next);
      drawn = cells;
    }

    function paint() {
      waiting = false;
      const across = columns();
      const high = rowHeight();
      const view = studio.windowOf(total, across, high, node.scrollTop, node.clientHeight || 500);
      spacer.style.height = `${view.height}px`;
      inner.style.transform = `translateY(${view.top}px)`;
      inner.style.gridTemplateColumns = `repeat(${across}, 1fr)`;
      inner.style.gridAutoRows = `${high}px`;
      const key = `${view.from}-${view.to}-${across}`;
      if (key !== shown) {
        shown = key;
        const focused = document.activeElement?.closest?.("[data-index]")?.dataset.index;
        place(view);
        if (focused !== undefined && !inner.contains(document.activeElement))
          inner.querySelector(`[data-index="${focused}"] .gs-cell-open`)?.focus();
      }
      for (const block of studio.blocksOf(view.from, view.to, asked)) {
        asked.add(block);
        fetch({ first: block * BLOCK, count: BLOCK });
      }
    }
    function schedule() {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(paint);
    }
    node.addEventListener("scroll", schedule, { passive: true });
    new ResizeObserver(schedule).observe(node);

    return {
      node,
      /** Ask anew and begin at the top, or stay where one is; what is known stays until the answer. */
      reset(stay) {
        stale = true;
        asked = new Set();
        if (!stay) node.scrollTop = 0;
        asked.add(0);
        fetch({ first: 0, count: BLOCK });
      },
      /** Take in an answer. */
      fill(first, list, all) {
        if (stale) items = new Map();
        stale = false;
        total = all;
        list.forEach((item, index) => items.set(first + index, item));
        shown = "";
        schedule();
      },
      redraw() {
        for (const one of drawn.values()) one.item = null; // drawn anew, though it is the same
        shown = "";
        schedule();
      },
      at: (index) => items.get(index),
      total: () => total,
      indexOf: (id) => [...items].find(([, item]) => item.id === id)?.[0],
      /** Bring a picture into sight and onto the keyboard. */
      focus(index) {
        const row = Math.floor(index / columns());
        const top = row * rowHeight();
        if (top < node.scrollTop) node.scrollTop = top;
        else if (top + rowHeight() > node.scrollTop + node.clientHeight)
          node.scrollTop = top + rowHeight() - node.clientHeight;
        paint();
        inner.querySelector(`[data-index="${index}"] .gs-cell-open`)?.focus();
      },
      columns,
      /** Let cells be so wide at least; the first one in sight stays there. */
      sizeTo(pixels) {
        const first = Math.floor(node.scrollTop / rowHeight()) * columns();
        cell = pixels;
        paint();
        node.scrollTop = Math.floor(first / columns()) * rowHeight();
        schedule();
      },
    };
  };

  /** The list that says how large a grid's pictures are, as this browser keeps it. */
  studio.gridSizes = function (grid) {
    const known = studio.remembered(KEPT);
    const size = Object.hasOwn(SIZES, known) ? known : "Medium";
    const options = Object.keys(SIZES).map((name) =>
      el("option", { value: name, selected: name === size }, name),
    );
    function take({ target }) {
      grid.sizeTo(SIZES[target.value]);
      studio.shared(KEPT, target.value);
    }
    grid.sizeTo(SIZES[size]);
    const label = "Size of the pictures";
    return el(
      "select",
      { class: "gs-history-select", "aria-label": label, onchange: take },
      ...options,
    );
  };
})(window.studio);
