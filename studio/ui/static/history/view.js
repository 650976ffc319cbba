// The History tab: search, filters, the grid, and what is done with the pictures that are chosen.
(function (studio) {
  "use strict";
  const { el, icon } = studio;
  const SORTS = {
    newest: "Newest first",
    oldest: "Oldest first",
    seed: "By seed",
    title: "By name",
  };
  const TYPING = 180; // ms after the last letter
  const PATIENCE = 15000; // ms for an answer

  /** The query of the toolbar's fields, without what is empty. */
  studio.historyQuery = (fields) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value));

  /** What is said where a question finds no picture. */
  studio.historyNone = ({ bin, sort, ...hides }) => {
    if (Object.keys(hides).length) return "No picture fits the search and the lists above.";
    if (bin) return "The bin is empty.";
    return "No picture yet. What Generate makes is listed here; what was deleted is under Bin.";
  };

  function word(label, onclick, extra) {
    return el("button", { type: "button", class: "gs-word", onclick, ...extra }, label);
  }

  studio.mountHistory = function (element, props, trigger, watch, bounds) {
    const fields = { sort: "newest" };
    const chosen = new Set();
    let key = 0;
    let opened = null;
    const { ask, answered } = studio.inTurn((request) => trigger("select", request), PATIENCE);
    const use = studio.newest(trigger, "submit");
    const again = (id, part) => use({ id, part });
    const query = () => studio.historyQuery(fields);

    // -- the grid ------------------------------------------------------------------------------
    let unseen = 0; // how many of them the search and the lists leave out
    function chooseNone() {
      chosen.clear();
      unseen = 0;
      actions();
      grid.redraw();
    }
    function choose(item, on) {
      if (on) chosen.add(item.id);
      else chosen.delete(item.id);
      actions();
      grid.redraw();
    }
    const open = (item) => ask({ do: "open", id: item.id });
    /** A promise of the address of a picture, "" where its file is not there. */
    let wanted = () => {};
    function whole(id) {
      ask({ do: "picture", id });
      return new Promise((resolve) => (wanted = resolve));
    }
    function cell(item, index) {
      if (!item) return el("div", { class: "gs-cell gs-cell-empty", "data-index": index });
      const picture = el(
        "button",
        {
          type: "button",
          class: "gs-cell-open",
          tabindex: index === 0 ? "0" : "-1",
          title: item.prompts || item.title,
          "data-own": "title aria-label",
          "aria-label": `${item.title}${item.starred ? ", starred" : ""}`,
          onclick: (event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey)
              choose(item, !chosen.has(item.id));
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
          class: `gs-cell${chosen.has(item.id) ? " gs-chosen" : ""}`,
          role: "listitem",
          "data-index": index,
        },
        picture,
        el("input", {
          type: "checkbox",
          class: "gs-check",
          class: "gs-cell-choose",
          tabindex: "-1",
          checked: chosen.has(item.id),
          "aria-label": `Choose ${item.title}`,
          onchange: (event) => choose(item, event.target.checked),
        }),
        item.starred ? el("span", { class: "gs-cell-star" }, icon("star")) : null,
      );
    }
    const grid = studio.virtualGrid({
      cell: 132,
      label: "Pictures",
      draw: cell,
      fetch: ({ first, count }) =>
        ask({ do: "page", query: query(), first, count, key: `${key}` }, `page ${first}`),
    });
    grid.node.addEventListener("keydown", (event) => {
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
      if (event.key === " " && item) choose(item, !chosen.has(item.id));
      else if (event.key === "s" && item)
        ask({ do: "mark", ids: [item.id], said: { starred: !item.starred } });
      else if (event.key === "Delete" && item) ask({ do: "delete", ids: [item.id] });
      else if (step === undefined) return;
      else grid.focus(Math.max(0, Math.min(grid.total() - 1, at + step)));
      event.preventDefault();
    });

    function refresh(stay) {
      key += 1;
      grid.reset(stay);
      if (chosen.size)
        ask({ do: "among", query: query(), ids: [...chosen], key: `${key}` }, "among");
    }

    // -- the toolbar ---------------------------------------------------------------------------
    let typing = 0;
    const search = el("input", {
      type: "search",
      class: "gs-shelf-search",
      placeholder: "Search prompts, models, notes, tags",
      "aria-label": "Search the history",
      oninput: () => {
        clearTimeout(typing);
        typing = setTimeout(() => set("text", search.value), TYPING);
      },
    });
    function set(name, value) {
      fields[name] = value;
      actions();
      refresh();
    }
    const selects = {};
    const named = new Set(["model", "preset", "board", "tag", "size"]); // whose options are names
    function select(name, label, options) {
      const node = (selects[name] ||= el("select", {
        class: "gs-history-select",
        "aria-label": label,
        onchange: () => set(name, node.value),
      }));
      node.replaceChildren(
        ...options.map(([value, text]) =>
          el(
            "option",
            {
              value,
              disabled: value === null, // a remark
              selected: value === (fields[name] || ""),
              translate: value && named.has(name) ? "no" : null,
            },
            text,
          ),
        ),
      );
      return node;
    }
    const flag = (name, label) =>
      el(
        "label",
        { class: "gs-history-flag" },
        el("input", {
          type: "checkbox",
          class: "gs-check",
          onchange: (event) => set(name, event.target.checked),
        }),
        label,
      );
    const day = (name, label) =>
      el(
        "label",
        { class: "gs-history-flag", title: label },
        name,
        el("input", {
          type: "date",
          class: "gs-history-select",
          "aria-label": label,
          onchange: (event) => set(name, event.target.value),
        }),
      );
    const counted = (label, names, more) => [
      ["", label],
      ...names.map(([name, count]) => [name, `${name} (${count})`]),
      ...(more > 0 ? [[null, `${more} more: type a name in the search`]] : []),
    ];
    function offer(names) {
      select("model", "Model", counted("Any model", names.models, names.more.models));
      select("preset", "Preset", counted("Any preset", names.presets, names.more.presets));
      select("board", "Board", counted("Any board", names.boards));
      select("tag", "Tag", counted("Any tag", names.tags, names.more.tags));
      select("size", "Size", counted("Any size", names.sizes));
      const scores = names.scores.map((name) => [`score:${name}`, `Best ${name} first`]);
      select("sort", "Order", [...Object.entries(SORTS), ...scores]);
    }
    offer({ models: [], presets: [], boards: [], tags: [], sizes: [], scores: [], more: {} });

    const state = el("span", { class: "gs-history-count", role: "status" });
    const notice = el("p", { class: "gs-history-notice", hidden: true });
    const none = el("p", { class: "gs-empty gs-history-none", role: "status", hidden: true });
    const bar = el("div", { class: "gs-line gs-history-actions" });
    function actions() {
      const ids = [...chosen];
      const some = ids.length > 0;
      const all = { all: true, query: query() };
      const mark = (field, label) => {
        const wrong = (given) =>
          field === "board"
            ? studio.checkLength(given.trim(), bounds.board)
            : studio.checkTags(given, bounds);
        const text = studio.askText(label, wrong);
        if (text === null) return;
        const said = field === "board" ? text.trim() : text.split(",");
        ask({ do: "mark", ids, said: { [field]: said } });
      };
      bar.replaceChildren(
        ...(some
          ? [
              el("span", {}, `${ids.length} chosen`),
              unseen ? el("span", {}, `${unseen} of them not shown`) : "",
              word("Star", () => ask({ do: "mark", ids, said: { starred: true } })),
              word("Tag …", () => mark("more_tags", "Tags to add, divided by commas:")),
              word("Board …", () => mark("board", "Put on the board (left empty: on none):")),
              word("Compare", () => ask({ do: "compare", ids }), {
                disabled: ids.length < 2 || ids.length > 4,
                title: "Choose 2 to 4 pictures",
              }),
              word("Download ZIP", () => ask({ do: "zip", ids })),
              word(fields.bin ? "Bring back" : "Delete", () => {
                ask({ do: fields.bin ? "restore" : "delete", ids });
                chooseNone();
              }),
              word("Choose none", chooseNone),
            ]
          : fields.bin
            ? [
                word("Bring all back", () => ask({ do: "restore", ...all })),
                word("Empty the bin", () => {
                  const hides = Object.keys(query()).some(
                    (name) => !["bin", "sort"].includes(name),
                  );
                  const asked = hides
                    ? "Remove all that is in the bin for good but starred pictures, also what the search and the lists leave out?"
                    : "Remove what is in the bin for good, but starred pictures?";
                  if (window.confirm(studio.say(asked))) ask({ do: "empty" });
                }),
              ]
            : [
                word("Download all found as ZIP", () => ask({ do: "zip", ...all })),
                word("Delete all found but starred", () => {
                  if (
                    window.confirm(
                      studio.say(
                        grid.total() === 1
                          ? "Put 1 picture into the bin, but a starred one?"
                          : `Put ${grid.total()} pictures into the bin, but starred ones?`,
                      ),
                    )
                  )
                    ask({ do: "delete", ...all, counted: grid.total() });
                }),
              ]),
      );
    }
    actions();

    element.replaceChildren(
      el(
        "div",
        { class: "gs-history" },
        el("div", { class: "gs-line" }, search, state),
        el(
          "div",
          { class: "gs-line gs-history-filters" },
          selects.sort,
          selects.model,
          selects.preset,
          selects.board,
          selects.tag,
          selects.size,
          day("since", "Made on this day or later"),
          day("until", "Made on this day or earlier"),
          flag("starred", "Starred"),
          flag("lora", "With a LoRA"),
          flag("bin", "Bin"),
        ),
        notice,
        bar,
        none,
        grid.node,
      ),
    );

    // -- what the server answers ---------------------------------------------------------------
    function take(value) {
      if (!value) return;
      answered(value.turn);
      notice.textContent = value.notice || notice.textContent;
      notice.hidden = !notice.textContent;
      if (value.names) offer(value.names);
      if (value.page && value.page.key === `${key}`) {
        const { first, items, total } = value.page;
        state.textContent = total === 1 ? "1 picture" : `${total} pictures`;
        none.hidden = total > 0;
        none.textContent = studio.historyNone(query());
        grid.fill(first, items, total);
      }
      if (value.among?.key === `${key}`) {
        for (const id of value.among.gone) chosen.delete(id);
        unseen = value.among.unseen;
        actions();
      }
      if (value.opened) {
        opened?.close();
        const record = value.opened;
        opened = studio.historyDetails(record, {
          ask,
          again,
          owner: value.owner,
          bounds,
          back: () => {
            const at = grid.indexOf(record.id);
            if (at !== undefined) grid.focus(at);
          },
          step: (by) => {
            const at = grid.indexOf(record.id);
            const beside = at === undefined ? undefined : grid.at(at + by);
            if (beside) open(beside);
          },
        });
        document.body.append(opened);
        opened.showModal();
      }
      if ("picture" in value) wanted(value.picture ? studio.address(value.picture) : "");
      if (value.compared) {
        const dialog = studio.compareDialog(value.compared);
        document.body.append(dialog);
        dialog.showModal();
      }
      if (value.deleted?.length) {
        for (const id of value.deleted) chosen.delete(id);
        actions();
        const ids = value.deleted;
        studio.undoable(`${ids.length} in the bin`, () => ask({ do: "restore", ids }));
      }
      if (value.kept) studio.toast(`${value.kept} kept: starred, or in the bin already.`);
      if (value.restored) studio.toast(`${value.restored.length} brought back.`);
      if (value.emptied !== undefined) {
        const stay = value.starred ? ` ${value.starred} kept: starred.` : "";
        studio.toast(`${value.emptied} removed.${stay}`);
      }
      if (value.folder && value.started) studio.toast(`Opened ${value.folder}`);
      else if (value.folder)
        window.prompt(studio.say("No file manager here. Copy its path:"), value.folder);
      if (value.file) {
        const link = el("a", { href: value.file.url, download: "pictures.zip" });
        link.click();
      }
      if (value.changed) refresh(true);
      if (value.busy) setTimeout(() => element.offsetParent && refresh(true), 1000);
    }
    watch("value", () => take(studio.clone(props.value)));
    const unkept = studio.takeUnkept();
    if (unkept) ask({ do: "mark", ids: [unkept.id], said: unkept.said });
    // Whoever looks at the history meanwhile sees what has been made.
    studio.on("strip", () => element.offsetParent && refresh(true));
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) refresh(true);
    }).observe(element);
  };
})(window.studio);
