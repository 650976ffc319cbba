// What the page shows: the stage (preview and results) and lists of pictures to choose from.
(function (studio) {
  "use strict";
  const { el, icon, button } = studio;
  // The address of {src} or of {file}, a file that Gradio serves.
  const address = (image) => image.src || image.file?.url || "";

  // -- stage ----------------------------------------------------------------------------------
  function figure(image, value, open) {
    const size = value.state === "running" ? "Preview" : "Result";
    const picture = el("img", {
      src: address(image),
      alt: `${size}${image.caption ? `: ${image.caption}` : ""}`,
      draggable: "false",
    });
    if (value.state !== "done") return el("figure", {}, picture);
    const save = el(
      "a",
      {
        class: "gs-tool",
        href: address(image),
        download: image.name || "image.png",
        title: "Download, preset included",
        "aria-label": `Download ${image.name || "image"}`,
      },
      icon("save"),
    );
    return el(
      "figure",
      {},
      el(
        "button",
        {
          type: "button",
          class: "gs-picture",
          "aria-label": "Enlarge",
          onclick: () => open(image),
        },
        picture,
      ),
      el("figcaption", {}, el("span", {}, image.caption || ""), save),
    );
  }

  function lightbox(image) {
    const dialog = el(
      "dialog",
      {
        class: "gs-lightbox",
        "aria-label": "Enlarged image",
        onclick: () => dialog.close(),
        onclose: () => dialog.remove(),
      },
      el("img", { src: address(image), alt: image.caption || "Result" }),
    );
    document.body.append(dialog);
    dialog.showModal();
  }

  studio.mountStage = function (element, props, watch) {
    const grid = el("div", { class: "gs-grid" });
    const hint = el(
      "div",
      { class: "gs-hint" },
      icon("image"),
      el("p", {}, "Nothing here yet. Press Generate, or start from a preset."),
    );
    const frame = el("div", { class: "gs-stage", "aria-live": "polite" }, grid, hint);
    element.replaceChildren(frame);
    const draw = () => {
      const value = studio.clone(props.value) || {},
        images = value.images || [];
      frame.dataset.state = value.state || "empty";
      hint.hidden = images.length > 0;
      grid.style.setProperty("--columns", Math.ceil(Math.sqrt(images.length || 1)));
      const shown = grid.querySelectorAll("img");
      if (
        value.state === "running" &&
        frame.dataset.drawn === "running" &&
        shown.length === images.length
      )
        images.forEach((image, i) => {
          shown[i].src = address(image);
        });
      else grid.replaceChildren(...images.map((image) => figure(image, value, lightbox)));
      frame.dataset.drawn = value.state || "empty";
    };
    watch("value", draw);
    studio.on("view", (image) => {
      frame.dataset.state = frame.dataset.drawn = "done";
      hint.hidden = true;
      grid.style.setProperty("--columns", 1);
      grid.replaceChildren(figure(image, { state: "done" }, lightbox));
    });
    draw();
  };

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
