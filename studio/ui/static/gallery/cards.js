// A gallery's presets as cards; their pictures are asked for when they come into sight.
(function (studio) {
  "use strict";
  const { el, icon } = studio;
  const AT_ONCE = 24;

  function press(text, label, act, extra) {
    return el(
      "button",
      { type: "button", class: "gs-word", "aria-label": label, onclick: act, ...extra },
      text,
    );
  }

  function card(item, { use, keep }) {
    const lacks = item.lacks.length ? `Not here: ${item.lacks.join(", ")}` : "";
    return el(
      "article",
      { class: "gs-gallery-card", "data-id": item.id },
      el("span", { class: "gs-blank" }, icon("image")),
      el(
        "div",
        { class: "gs-preset-text" },
        el("strong", { dir: "auto", translate: "no" }, item.title),
        el(
          "span",
          {
            title: item.text,
            dir: "auto",
            translate: item.usable ? "no" : null,
            "data-own": item.usable ? "title" : null,
          },
          item.text,
        ),
        lacks ? el("em", { class: "gs-gallery-lacks" }, lacks) : null,
        item.usable
          ? el(
              "div",
              { class: "gs-gallery-does" },
              press("Use", `Use ${item.title} on the page`, () => use(item.id)),
              press("Import", `Import ${item.title} into my presets`, () => keep(item.id)),
            )
          : el("em", { class: "gs-chip" }, "cannot be used"),
      ),
    );
  }

  /**
   * The cards: {element, draw(items)}.
   * @param act what is done with an id: {use, keep}
   * @param ask answers pictures by id for a list of ids
   */
  studio.galleryCards = function (act, ask) {
    const element = el("div", { class: "gs-gallery-cards" });
    let waiting = [];
    let timer = null;

    async function send() {
      timer = null;
      const nodes = waiting.splice(0, AT_ONCE);
      const ids = nodes.map((node) => node.dataset.id);
      const pictures = await ask(ids).catch(() => ({}));
      for (const node of nodes) {
        const source = pictures[node.dataset.id];
        if (source)
          node
            .querySelector(".gs-blank")
            ?.replaceWith(el("img", { src: source, alt: "", loading: "lazy" }));
      }
      if (waiting.length && !timer) timer = setTimeout(send, 50);
    }
    const sight = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries)
        if (isIntersecting) {
          sight.unobserve(target);
          waiting.push(target);
        }
      if (waiting.length && !timer) timer = setTimeout(send, 50);
    });

    return {
      element,
      draw(items) {
        sight.disconnect();
        waiting = [];
        element.replaceChildren(...items.map((item) => card(item, act)));
        items.forEach((item, index) => item.picture && sight.observe(element.children[index]));
      },
    };
  };
})(window.studio);
