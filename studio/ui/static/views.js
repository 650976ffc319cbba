// Lists of pictures to choose from: the strip of what was made, and the shelf of presets.
(function (studio) {
  "use strict";
  const { el, icon } = studio;
  const { address } = studio;

  // -- lists of pictures ------------------------------------------------------------------------
  function card(item, trigger) {
    const picture = item.image
      ? el("img", { src: address(item.image), alt: "", loading: "lazy" })
      : el("span", { class: "gs-blank" }, icon("image"));
    return el(
      "button",
      {
        type: "button",
        class: "gs-preset",
        "data-id": item.id,
        onclick: () => trigger("select", { id: item.id }),
      },
      picture,
      el(
        "span",
        { class: "gs-preset-text" },
        el("strong", {}, item.title),
        el("span", {}, item.text || ""),
        item.tag ? el("em", { class: "gs-chip" }, item.tag) : null,
      ),
    );
  }

  function moment(item, trigger) {
    return el(
      "div",
      { class: "gs-moment", "data-id": item.id },
      el(
        "button",
        {
          type: "button",
          class: "gs-picture",
          "aria-label": `View ${item.title}`,
          title: item.title,
          onclick: () => studio.emit("view", item.image),
        },
        el("img", { src: address(item.image), alt: item.title, loading: "lazy" }),
      ),
      el(
        "button",
        {
          type: "button",
          class: "gs-again",
          onclick: () => trigger("select", { id: item.id }),
          title: "Load this image's preset",
        },
        icon("again"),
        "Use again",
      ),
    );
  }

  studio.mountCards = function (element, props, trigger, watch) {
    const strip = props.variant === "strip",
      make = strip ? moment : card;
    const box = el("div", { class: strip ? "gs-strip" : "gs-presets" });
    const empty = el("p", { class: "gs-empty" }, props.empty || "");
    element.replaceChildren(box, empty);
    const draw = () => {
      const items = studio.clone(props.value)?.items || [];
      box.replaceChildren(...items.map((item) => make(item, trigger)));
      empty.hidden = items.length > 0 || !props.empty;
    };
    watch("value", draw);
    draw();
  };

  // The Models tab is drawn anew by the server; its search box is found wherever it is then.
  document.addEventListener("input", ({ target }) => {
    if (!target.matches?.(".gs-library-search")) return;
    const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of target.closest(".gs-library").querySelectorAll("section")) {
      const lines = [...section.querySelectorAll(".gs-model-line")];
      for (const line of lines)
        line.hidden = !words.every((word) => line.textContent.toLowerCase().includes(word));
      section.hidden = lines.every((line) => line.hidden);
    }
    const library = target.closest(".gs-library");
    library.querySelector(".gs-library-none").hidden = Boolean(
      library.querySelector("section:not([hidden])"),
    );
  });
})(window.studio);
