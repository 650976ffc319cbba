// The History tab: search, filters, the grid, and what is done with the pictures that are chosen.
(function (studio) {
  "use strict";
  const { el } = studio;
  const PATIENCE = 15000; // ms for an answer

  const PLACES =
    "prompt: preset: title: model: lora: note: tag: board: folder: seed: steps: size: scheduler: sampler:";

  /** The first word of a search that asks for a place that is none, such as `cfg:`; "" for none. */
  function nowhere(text = "") {
    const words = text.replace(/["\u201c-\u201f][^"\u201c-\u201f]*["\u201c-\u201f]/g, "x"); // a phrase is none
    const asked = words.toLowerCase().match(/(?<=^-?|\s-?)[a-z]{2,12}:(?=[^\s/])/g) ?? [];
    return asked.find((one) => !PLACES.split(" ").includes(one)) ?? "";
  }

  /** What is said where a question finds no picture. */
  studio.historyNone = ({ bin, sort, ...hides }) => {
    const place = nowhere(hides.text);
    if (place) return `No picture fits; nothing is looked for in “${place}”, but in ${PLACES}`;
    if (Object.keys(hides).length) return "No picture fits the search and the lists above.";
    if (bin) return "The bin is empty.";
    return "No picture yet. What Generate makes is listed here, and what lies in the folder for pictures (Settings names it), other tools' too; what was deleted is under Bin.";
  };

  studio.picturesInWords = (count) => (count === 1 ? "1 picture" : `${count} pictures`);

  /** What was said of several pictures at once. */
  function markedSaid({ count, board, tags }) {
    const pictures = studio.picturesInWords(count);
    if (board) return `On the board “${board}”: ${pictures}`;
    return tags.length ? `Tags “${tags.join(", ")}”: ${pictures}` : `On no board: ${pictures}`;
  }

  /** Say or hand over what came of a press; `restore` brings back what it put into the bin. */
  studio.toldOfHistory = function (answer, restore) {
    const { kept, restored, stay, emptied, starred, folder, started, file, code } = answer;
    const { deleted, left_out: unread, marked, lost } = answer;
    if (marked) studio.toast(markedSaid(marked));
    if (deleted?.length) studio.undoable(`${deleted.length} in the bin`, () => restore(deleted));
    if (kept) studio.toast(`${kept} kept: starred, or in the bin already.`);
    if (lost) studio.toast(`${lost} of them: not in the history any more.`);
    if (restored) studio.toast(`${restored.length} brought back.`);
    if (stay) studio.toast(`${stay} stay in the bin: their files are not there any more.`);
    if (code) studio.emit("code", code);
    if (unread) studio.toast(unread);
    if (emptied !== undefined)
      studio.toast(`${emptied} removed.${starred ? ` ${starred} kept: starred.` : ""}`);
    if (folder && started) studio.toast(`Opened ${folder}`);
    else if (folder) window.prompt(studio.say("No file manager here. Copy its path:"), folder);
    if (file) el("a", { href: file.url, download: file.orig_name }).click();
  };

  studio.mountHistory = function (element, props, trigger, watch, bounds) {
    const chosen = new Set();
    let unseen = 0; // how many of them the search and the lists leave out
    let key = 0;
    let choice = 0; // what is asked for to be chosen belongs to it: another begins where all is let go
    let anchor = ""; // the last one that was chosen by itself: a range goes from there
    let opened = null;
    let wanted = () => {};
    const send = (request) => trigger("select", request);
    const { ask, answered, unanswered } = studio.inTurn(send, PATIENCE);
    const use = studio.newest(trigger, "submit");

    // -- what is chosen, and the grid ----------------------------------------------------------
    function drawn() {
      actions.draw([...chosen], unseen);
      grid.redraw();
    }
    function chooseNone() {
      choice += 1;
      chosen.clear();
      unseen = 0;
      drawn();
    }
    /** Choose what lies between two ends, or all that is found. */
    const chooseRange = (ends) =>
      ask({ do: "range", query: query(), ...ends, key: `${choice} ${key}` });
    const tools = {
      ask,
      chosen: (id) => chosen.has(id),
      choose(item, on) {
        anchor = item.id;
        if (on) chosen.add(item.id);
        else chosen.delete(item.id);
        drawn();
      },
      /** All from the last one to this one; those in between may not be on the page yet. */
      chooseTo(item) {
        if (chosen.has(anchor)) chooseRange({ ends: [anchor, item.id] });
        tools.choose(item, true);
      },
      open: (item) => ask({ do: "open", id: item.id }),
      /** A promise of the address of a picture, "" where its file is not there. */
      whole(id) {
        ask({ do: "picture", id });
        return new Promise((resolve) => (wanted = resolve));
      },
    };
    const filters = studio.historyFilters(() => {
      actions.draw([...chosen], unseen);
      refresh();
    });
    const { query } = filters;
    const grid = studio.virtualGrid({
      cell: 132,
      label: "Pictures",
      draw: studio.historyCell(tools),
      fetch: ({ first, count }) =>
        ask({ do: "page", query: query(), first, count, key: `${key}` }, `page ${first}`),
    });
    studio.historyKeys(grid, tools);
    const actions = studio.historyActions({
      ...{ ask, bounds, query, chooseNone },
      total: grid.total,
      offered: (kind) => filters.names(kind),
      chooseAll: () => chooseRange({}),
    });
    actions.draw([], 0);

    function refresh(stay) {
      key += 1;
      grid.reset(stay);
      if (chosen.size) askAmong();
    }
    const askAmong = () =>
      ask({ do: "among", query: query(), ids: [...chosen], key: `${key}` }, "among");

    const state = el("span", { class: "gs-history-count", role: "status" });
    const notice = el("p", { class: "gs-history-notice", hidden: true });
    const none = el("p", { class: "gs-empty gs-history-none", role: "status", hidden: true });
    element.replaceChildren(
      el(
        "div",
        { class: "gs-history" },
        el("div", { class: "gs-line" }, filters.search, state, studio.gridSizes(grid)),
        filters.lists,
        notice,
        actions.bar,
        none,
        grid.node,
      ),
    );

    // -- what the server answers ---------------------------------------------------------------
    function showPage({ first, items, total }) {
      state.textContent = studio.picturesInWords(total);
      none.hidden = total > 0;
      none.textContent = studio.historyNone(query());
      grid.fill(first, items, total);
      actions.draw([...chosen], unseen); // where nothing is found, nothing can be done with all of it
    }
    function showRecord(record, owner) {
      opened?.close();
      const at = () => grid.indexOf(record.id);
      opened = studio.historyDetails(record, {
        ask,
        again: (id, part) => use({ id, part }),
        owner,
        bounds,
        back: () => at() !== undefined && grid.focus(at()),
        step: (by) => {
          const beside = at() === undefined ? undefined : grid.at(at() + by);
          if (beside) tools.open(beside);
        },
      });
      document.body.append(opened);
      opened.showModal();
    }
    function showCompared(pictures) {
      const dialog = studio.compareDialog(pictures, {
        star: (id, starred) => ask({ do: "mark", ids: [id], said: { starred } }),
        again: (id) => use({ id, part: "all" }),
      });
      document.body.append(dialog);
      dialog.showModal();
    }
    function forget(ids) {
      for (const id of ids) chosen.delete(id);
      actions.draw([...chosen], unseen);
    }
    /** It was asked for before the search changed, too; but not once all has been let go. */
    function takeRange({ key: asked, ids }) {
      const [of, search] = asked.split(" ");
      if (of !== `${choice}`) return;
      for (const id of ids) chosen.add(id);
      drawn();
      if (search !== `${key}`) askAmong();
    }
    function take(value) {
      if (!value) return;
      answered(value.turn);
      notice.textContent = value.notice || notice.textContent;
      notice.hidden = !notice.textContent;
      if (value.names) filters.offer(value.names);
      if (value.page?.key === `${key}`) showPage(value.page);
      if (value.among?.key === `${key}`) {
        unseen = value.among.unseen;
        forget(value.among.gone);
      }
      if (value.range) takeRange(value.range);
      if (value.opened) showRecord(value.opened, value.owner);
      if ("picture" in value) wanted(value.picture ? studio.address(value.picture) : "");
      if (value.compared) showCompared(value.compared);
      if (value.deleted?.length) forget(value.deleted);
      if (value.refused?.do === "mark") studio.unmarked(value.refused);
      studio.toldOfHistory(value, (ids) => ask({ do: "restore", ids }));
      if (value.changed) refresh(true);
      if (value.busy) later(1);
      // Somebody has turned to it so soon after the last look at its files that there was none.
      else if (turned && value.again) later(value.again);
      if (value.page) turned = false;
    }
    let turned = false;
    const later = (seconds) =>
      setTimeout(() => element.offsetParent && refresh(true), 1000 * seconds);
    watch("value", () => take(studio.clone(props.value)));
    studio.keepsAsking(ask, unanswered);
    // Whoever looks at the history meanwhile sees what has been made.
    studio.on("strip", () => element.offsetParent && refresh(true));
    new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      turned = true;
      refresh(true);
    }).observe(element);
  };
})(window.studio);
