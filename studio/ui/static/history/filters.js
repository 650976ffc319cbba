// The history's search and lists: what is asked for, as fields of one query.
(function (studio) {
  "use strict";
  const { el } = studio;
  const SORTS = {
    newest: "Newest first",
    oldest: "Oldest first",
    seed: "By seed",
    title: "By name",
  };
  const TYPING = 180; // ms after the last letter
  studio.ON_NO_BOARD = "\n"; // in the place of a board's name, as studio/history/query.py reads it

  /** The query of the toolbar's fields, without what is empty. */
  studio.historyQuery = (fields) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value));

  /**
   * The options of a list, [[value, text], …]: any, and the names in use with how often. What is chosen
   * stays among them where its last picture has gone: it still says what is found.
   * @param more how many names have no place in the list
   * @param none the line of what has none of them, which stands where there are names
   * @param titles what those names are called that are shown as something else, by name
   */
  studio.historyOptions = function (label, names, chosen, more, titles = {}, none = "") {
    const lost =
      chosen && chosen !== studio.ON_NO_BOARD && !names.some(([name]) => name === chosen);
    return [
      ["", label],
      ...(none ? [[studio.ON_NO_BOARD, none]] : []),
      ...[...names, ...(lost ? [[chosen, 0]] : [])].map(([name, n]) => [
        name,
        `${Object.hasOwn(titles, name) ? titles[name] : name} (${n})`,
      ]),
      ...(more > 0 ? [[null, `${more} more: type a name in the search`]] : []),
    ];
  };

  /**
   * The fields.
   * @param changed is called when one of them has another value
   * @returns {search, lists, offer(names), names(kind), query()}
   */
  studio.historyFilters = function (changed) {
    const fields = { sort: "newest" };
    function set(name, value) {
      fields[name] = value;
      changed();
    }
    let typing = 0;
    const search = el("input", {
      type: "search",
      class: "gs-shelf-search",
      placeholder: "Search prompts, models, notes, seeds, files",
      "aria-label": "Search the history",
      title:
        'The beginnings of words, all of which must be there. "two words" beside each other, cat OR dog, ' +
        "-without; prompt:, preset:, model:, lora:, note:, tag: and board: look there alone; seed:5, " +
        "steps:25, size:512x512, sampler:euler.",
      oninput: () => {
        clearTimeout(typing);
        typing = setTimeout(() => set("text", search.value), TYPING);
      },
    });
    const selects = {};
    const named = new Set(["model", "preset", "board", "tag", "size", "scheduler"]); // whose options are names
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
              translate: value && value !== studio.ON_NO_BOARD && named.has(name) ? "no" : null,
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
    let offered = {};
    function offer(names) {
      offered = names;
      const list = (name, label, title, kind) =>
        select(
          name,
          label,
          studio.historyOptions(
            title,
            names[kind],
            fields[name],
            names.more[kind],
            names.titles?.[kind],
            kind === "boards" && names.boards.length ? "On no board" : "",
          ),
        );
      list("model", "Model", "Any model", "models");
      list("preset", "Preset", "Any preset", "presets");
      list("board", "Board", "Any board", "boards");
      list("tag", "Tag", "Any tag", "tags");
      list("size", "Size", "Any size", "sizes");
      list("scheduler", "Scheduler", "Any scheduler", "schedulers");
      const by = fields.sort.startsWith("score:") ? [fields.sort.slice(6)] : [];
      const scores = [...new Set([...names.scores, ...by])];
      const best = scores.map((name) => [`score:${name}`, `Best ${name} first`]);
      select("sort", "Order", [...Object.entries(SORTS), ...best]);
    }
    const kinds = ["models", "presets", "boards", "tags", "sizes", "schedulers", "scores"];
    offer({ ...Object.fromEntries(kinds.map((kind) => [kind, []])), more: {} });

    const lists = el(
      "div",
      { class: "gs-line gs-history-filters" },
      selects.sort,
      selects.model,
      selects.preset,
      selects.board,
      selects.tag,
      selects.size,
      selects.scheduler,
      day("since", "Made on this day or later"),
      day("until", "Made on this day or earlier"),
      flag("starred", "Starred"),
      flag("lora", "With a LoRA"),
      flag("bin", "Bin"),
    );
    const names = (kind) => offered[kind].map(([name]) => name);
    return { search, lists, offer, names, query: () => studio.historyQuery(fields) };
  };
})(window.studio);
