// Galleries: one is opened by its folder, address or id; its presets are used or kept.
(function (studio) {
  "use strict";
  const { el } = studio;
  const WHAT = "presets of a folder, a Git repository or a dataset of the hub";

  studio.mountGalleries = function (element, props, server, trigger, watch) {
    const ask = studio.newest(trigger, "select");
    const use = studio.newest(trigger, "edit");
    let value = {};
    const source = el("input", {
      type: "text",
      class: "gs-gallery-source",
      "aria-label": "Gallery: a folder, a Git address, or hub:OWNER/NAME",
      placeholder: "~/folder, https://….git, hub:OWNER/NAME",
      spellcheck: "false",
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) open(false);
      },
    });
    const button = studio.word;
    const again = button("Fetch again", () => open(true));
    const known = el("div", { class: "gs-gallery-known" });
    const said = el("p", { class: "gs-gallery-said", role: "status" });
    const notes = el("ul", { class: "gs-gallery-notes" });
    const search = el("input", {
      type: "search",
      class: "gs-shelf-search",
      placeholder: "Search this gallery",
      "aria-label": "Search this gallery",
      oninput: () => filter(),
    });
    const cards = studio.galleryCards(
      {
        use: (id) => use({ source: value.source, id }),
        keep: (id) => trigger("submit", { source: value.source, id }),
      },
      (ids) => server.gallery_pictures({ source: value.source, ids }),
    );

    function open(fresh) {
      if (!source.value.trim()) {
        say("Type a folder, an address or a dataset first.", "failed");
        source.focus();
        return;
      }
      say("Opening …", "running");
      ask({ source: source.value, fresh });
    }

    function say(text, state) {
      said.textContent = text || "";
      said.dataset.state = state;
    }

    function filter() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const node of cards.element.children)
        node.hidden = !words.every((word) => node.textContent.toLowerCase().includes(word));
    }

    function chip(name) {
      const forget = studio.button("close", `Forget ${name}`, () =>
        trigger("delete", { source: name }),
      );
      const choose = button(
        name,
        () => {
          source.value = name;
          open(false);
        },
        { translate: "no" },
      );
      return el("span", { class: "gs-gallery-chip" }, choose, forget);
    }

    /** The galleries that were opened before, asked for when somebody looks. */
    async function remembered({ target }) {
      if (!target.open || known.children.length) return null;
      const names = await server.known_galleries(null);
      if (names.error) return studio.toast(names.error);
      return known.replaceChildren(...names.map(chip));
    }

    let drawn = "";
    function draw() {
      value = studio.clone(props.value) || {};
      if (value.source) source.value = value.source;
      if (value.known) known.replaceChildren(...value.known.map(chip));
      say(value.said, value.state || "idle");
      notes.replaceChildren(...(value.notes || []).map((note) => el("li", {}, note)));
      const now = JSON.stringify([value.source, value.items]);
      if (now !== drawn) cards.draw(value.items || []); // else the focus stays where it is
      drawn = now;
      search.hidden = !(value.items || []).length;
      again.hidden = !value.source || value.source.startsWith("/");
      filter();
    }

    element.replaceChildren(
      el(
        "details",
        { class: "gs-gallery gs-panel", ontoggle: remembered },
        el("summary", {}, el("strong", {}, "Gallery"), ` ${WHAT}`),
        el(
          "div",
          { class: "gs-gallery-line" },
          source,
          button("Open", () => open(false)),
          again,
        ),
        known,
        said,
        notes,
        search,
        cards.element,
      ),
    );
    watch("value", draw);
    draw();
  };
})(window.studio);
