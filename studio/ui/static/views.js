// Lists of pictures to choose from: the strip of what was made, and the shelf of presets.
(function (studio) {
  "use strict";
  const { el, icon, button } = studio;
  const { address } = studio;

  // -- lists of pictures ------------------------------------------------------------------------
  /** Puts what the form shows in the place of a preset; a style has no such button. */
  function replacing(item, trigger) {
    if (item.what || item.problem) return null;
    return button("save", `Replace ${item.title} with the form`, () => {
      if (
        window.confirm(studio.say(`Replace the preset “${item.title}” with what the form shows?`))
      )
        trigger("replace", { id: item.id });
    });
  }

  /** Asks for a style's name and texts, and keeps them while the dialog is open. */
  async function editStyle(item, others, trigger) {
    const { prompt, negative } = item.texts;
    const taken = ({ name }) =>
      others().some(({ id }) => id !== item.id && id.toLowerCase() === name.toLowerCase());
    const longest = 4000;
    const given = await studio.askTexts({
      title: `The style “${item.title}”`,
      fields: [
        { name: "name", label: "Name", value: item.title, longest: 200 },
        { name: "prompt", label: "Prompt", value: prompt, lines: 8, longest },
        { name: "negative", label: "Negative prompt", value: negative, lines: 8, longest },
      ],
      act: "Keep it",
      leaving: "Leave the style as it was, without what you wrote?",
      refuse: (texts) => (taken(texts) ? "There is a style of this name already." : ""),
      keep: async (texts) => {
        const asked = { id: item.id, ...texts, before: item.texts };
        const answer = await studio.stack.server
          .style_words(asked)
          .catch((error) => ({ error: `${error}` }));
        return answer.error || "";
      },
    });
    if (given) trigger("submit", {}); // the list anew
  }

  /** The button that edits a style, or renames a preset. */
  function renaming(item, others, trigger) {
    if (item.texts)
      return button("rename", `Edit ${item.title}`, () => editStyle(item, others, trigger));
    return button("rename", `Rename ${item.title}`, () => {
      const name = window.prompt(studio.say("The preset's name:"), item.title);
      // An emptied one is asked for, too: why it cannot be is said.
      if (name !== null && name !== item.title) trigger("edit", { id: item.id, name });
    });
  }

  /** Replace, rename and delete, for a person's own presets and styles. */
  function ownTools(item, others, trigger) {
    const what = item.what || "preset";
    return el(
      "span",
      { class: "gs-own-tools" },
      replacing(item, trigger),
      renaming(item, others, trigger),
      button("trash", `Delete ${item.title}`, () => {
        if (window.confirm(studio.say(`Delete the ${what} “${item.title}”?`)))
          trigger("delete", { id: item.id });
      }),
    );
  }

  function card(item, trigger, use, others) {
    const chosen = choice(item, use);
    const tools = () => ownTools(item, others, trigger);
    return item.own ? el("div", { class: "gs-own" }, chosen, tools()) : chosen;
  }

  function choice(item, use) {
    const picture = item.image
      ? studio.orElse(el("img", { src: address(item.image), alt: "", loading: "lazy" }))
      : el("span", { class: "gs-blank" }, icon("image"));
    const turned = (ours) => (ours ? null : "no"); // what a person wrote is not
    return el(
      "button",
      {
        type: "button",
        class: "gs-preset",
        "data-id": item.id,
        onclick: () => use({ id: item.id }),
      },
      picture,
      el(
        "span",
        { class: "gs-preset-text" },
        el("strong", { dir: "auto", translate: turned(item.shipped) }, item.title),
        el(
          "span",
          { dir: "auto", translate: turned(item.shipped || item.problem) },
          item.text || "",
        ),
        item.tag ? el("em", { class: "gs-chip" }, item.tag) : null,
      ),
    );
  }

  function moment(item, trigger, use) {
    const view = el(
      "button",
      {
        type: "button",
        class: "gs-picture",
        tabindex: "-1",
        "aria-label": `View ${item.title}`,
        title: item.title,
        "data-own": "title",
        onclick: () => studio.emit("view", item.image),
      },
      studio.orElse(
        el("img", {
          src: address(item.image),
          alt: item.title,
          "data-own": "alt",
          loading: "lazy",
        }),
      ),
    );
    studio.givesPicture(view, address(item.image));
    return el(
      "div",
      { class: "gs-moment", "data-id": item.id },
      view,
      item.starred
        ? el("span", { class: "gs-cell-star", role: "img", "aria-label": "Starred" }, icon("star"))
        : null,
      el(
        "button",
        {
          type: "button",
          class: "gs-again",
          tabindex: "-1",
          onclick: () => use({ id: item.id }),
          title: "Load this image's preset",
        },
        icon("again"),
        "Use again",
      ),
      studio.scoresNode(item.image.name),
    );
  }

  const buttonsOf = (one) => (one.matches("button") ? [one] : [...one.querySelectorAll("button")]);

  /** How far an arrow key leads in a list of so many entries a line; of Home and End, to the ends. */
  studio.stepOf = (key, place, count, columns) =>
    ({
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -place,
      End: count - 1 - place,
    })[key];

  /** A list is one stop of the tab key; arrow keys, Home and End go along what of it is shown, from a
   *  button to the same of another entry. Returns what makes sure that there is a stop. */
  function roving(box, pressed = () => false) {
    const shown = () => [...box.children].filter((one) => !one.hidden);
    const enter = (chosen) => {
      for (const one of box.children)
        for (const node of buttonsOf(one)) node.tabIndex = one === chosen ? 0 : -1;
    };
    const entryOf = (node) => [...box.children].find((one) => one.contains(node));
    box.addEventListener("focusin", (event) => enter(entryOf(event.target)));
    box.addEventListener("keydown", (event) => {
      const all = shown();
      const place = all.indexOf(entryOf(event.target));
      if (place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
      if (pressed(event, all[place])) event.preventDefault();
      const columns = all.filter((one) => one.offsetTop === all[0].offsetTop).length;
      const next = all[place + studio.stepOf(studio.along(event.key), place, all.length, columns)];
      if (!next) return;
      event.preventDefault();
      const which = buttonsOf(all[place]).indexOf(event.target);
      enter(next);
      (buttonsOf(next)[which] || buttonsOf(next)[0]).focus();
    });
    return () => {
      const all = shown();
      if (!all.some((one) => buttonsOf(one)[0].tabIndex === 0)) enter(all[0]);
    };
  }

  studio.mountCards = function (element, props, trigger, watch, { variant, empty: none, what }) {
    const strip = variant === "strip";
    const make = strip ? moment : card;
    const use =
      what === "styles"
        ? studio.pressing(trigger, "select") // all of them, one after another
        : studio.newest(trigger, "select");
    const box = el("div", { class: strip ? "gs-strip" : "gs-presets" });
    // Whole sentences, so that they can be said in other languages.
    const unmatched = {
      presets: "None of the presets matches.",
      styles: "None of the styles matches.",
    };
    const empty = el("p", { class: "gs-empty", role: "status" }, none);
    const stop = roving(box, (event, one) => strip && studio.markByKey(event, one.dataset.id));
    const search = el("input", {
      type: "search",
      class: "gs-shelf-search",
      placeholder: `Search ${what} by name or ${what === "presets" ? "description" : "text"}`,
      "aria-label": `Search ${what}`,
      hidden: strip,
      oninput: () => filter(),
    });
    function filter() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const node of box.children)
        node.hidden = !words.every((word) => node.textContent.toLowerCase().includes(word));
      const all = [...box.children];
      empty.hidden = all.some((node) => !node.hidden);
      empty.textContent = all.length ? unmatched[what] : none;
      stop();
    }
    element.replaceChildren(search, box, empty);
    /** Where the keyboard is in the list; called when that is drawn anew, it goes back there: to the
     *  same entry, else to the one that has taken its place. */
    function held() {
      const node = document.activeElement;
      const entry = [...box.children].find((one) => one.contains(node));
      if (!entry) return () => {};
      const place = [...box.children].indexOf(entry);
      const which = buttonsOf(entry).indexOf(node);
      const { id } = entry.dataset.id ? entry.dataset : entry.querySelector("[data-id]").dataset;
      return () => {
        const same = box.querySelector(`[data-id="${CSS.escape(id)}"]`);
        const next =
          [...box.children].find((one) => same && one.contains(same)) ||
          box.children[Math.min(place, box.children.length - 1)];
        const target = next ? buttonsOf(next)[which] || buttonsOf(next)[0] : search;
        target.focus({ preventScroll: true });
      };
    }
    const draw = () => {
      const goBack = held();
      const given = studio.clone(props.value)?.items || [];
      const items = strip ? studio.inOrder(given) : given;
      box.replaceChildren(...items.map((item) => make(item, trigger, use, () => given)));
      search.hidden = strip || !items.length;
      for (const one of box.children) for (const node of buttonsOf(one)) node.tabIndex = -1;
      filter();
      goBack();
    };
    // What one tab saves, renames or deletes the others of this browser ask for too. Another studio's
    // tabs, under another path, are none of them.
    const PLACE = `guidance-studio-${what}${location.pathname}`;
    const listed = () =>
      JSON.stringify(
        (studio.clone(props.value)?.items || []).map(({ id, title, texts }) => [id, title, texts]),
      );
    let known = null; // what the tabs know: an answer that brings nothing else is not told
    const said = () => {
      if (listed() !== known) studio.shared(PLACE, (known = listed()));
    };
    const heard = ({ key, newValue }) => {
      if (key !== PLACE || !newValue) return;
      known = newValue;
      if (newValue !== listed()) trigger("submit", {});
    };
    let drawn = false; // until then the styles are those that the page began with
    const changed = () => {
      draw();
      const items = studio.clone(props.value)?.items || [];
      if (strip) studio.emit("strip", items);
      else if (what === "styles" && drawn) studio.emit("styles", items);
      drawn = true;
    };
    const offered = studio.bringingBack(what, trigger);
    watch("value", () => {
      changed();
      if (strip) return;
      said();
      offered(studio.clone(props.value)?.back);
    });
    if (what === "styles") studio.on("style-off", (id) => trigger("off", { id }));
    if (strip) {
      studio.on("order", draw);
      studio.marksBy((request) => trigger("edit", request));
    } else addEventListener("storage", heard);
    changed();
  };
})(window.studio);
