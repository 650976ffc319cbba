// Publishing: a look at exactly what would go out, then that.
(function (studio) {
  "use strict";
  const { el } = studio;

  const list = (name, lines) =>
    lines.length ? el("ul", { class: name }, ...lines.map((line) => el("li", {}, line))) : null;

  /** What would go out: warnings, files, the JSON and the picture, and the button that sends it. */
  function look(value, publish) {
    const names = value.files.map(({ name, bytes }) => `${name} (${bytes} bytes)`);
    const count = value.files.length === 1 ? "this file" : `these ${value.files.length} files`;
    return [
      value.warnings.length
        ? el(
            "div",
            { class: "gs-publish-warnings" },
            el("strong", {}, "Please read"),
            list("gs-gallery-notes", value.warnings),
          )
        : null,
      el("p", { class: "gs-publish-to" }, `Into ${value.to}: ${names.join(", ")}`),
      ...[value.note, value.lacks]
        .filter(Boolean)
        .map((line) => el("p", { class: "gs-publish-note" }, line)),
      el(
        "div",
        { class: "gs-publish-look" },
        value.picture
          ? el("img", { src: value.picture, alt: "The picture that would be published" })
          : null,
        el("pre", { tabindex: "0", "aria-label": "The JSON that would be published" }, value.json),
      ),
      value.there
        ? null
        : el(
            "button",
            { type: "button", class: "gs-word gs-publish-go", onclick: publish },
            `Publish ${count}`,
          ),
    ];
  }

  const PLACE = "guidance-studio-publish";

  studio.mountPublishing = function (element, props, trigger, watch) {
    const tell = studio.newest(trigger, "select");
    const to = el("input", {
      type: "text",
      class: "gs-gallery-source",
      "aria-label": "Publish to: a folder, or hub:OWNER/NAME",
      placeholder: "~/folder, or hub:OWNER/NAME",
      spellcheck: "false",
      value: studio.noted(PLACE) ?? "",
      oninput: () => {
        studio.noted(PLACE, to.value);
        stale();
      },
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) ask();
      },
    });
    const picture = el("input", {
      type: "checkbox",
      class: "gs-check",
      checked: true,
      onchange: stale,
    });
    const said = el("p", { class: "gs-gallery-said", role: "status" });
    const shown = el("div", { class: "gs-publish" });

    function say(text, state) {
      said.textContent = text || "";
      said.dataset.state = state;
    }

    let form = ""; // as it is now, and as it was looked at
    let lookedAt = null;
    /** What was looked at is no longer what is asked for: it cannot be published unseen. */
    function stale() {
      if (lookedAt === null) return;
      lookedAt = null;
      shown.replaceChildren();
      say("Changed since you looked: look again at what would go out.", "idle");
    }
    studio.on("form", (text) => {
      form = text;
      if (lookedAt !== null && lookedAt !== text) stale();
    });

    function ask() {
      lookedAt = form;
      say("Looking …", "running");
      shown.replaceChildren();
      tell({ to: to.value, picture: picture.checked });
    }

    function publish({ target }) {
      lookedAt = null;
      target.disabled = true; // once; another look offers it again
      say("Publishing …", "running");
      trigger("submit", { publish: true });
    }

    function draw() {
      const value = studio.clone(props.value) || {};
      const looked = value.state === "looked" && lookedAt !== null;
      if (value.state === "looked" && !looked) return; // what was changed meanwhile has said so
      say(
        looked
          ? "Nothing is published yet. This is all that would be:"
          : [value.said, value.place].filter(Boolean).join(" · "),
        value.state || "idle",
      );
      shown.replaceChildren(
        ...(looked ? look(value, publish).filter((node) => node !== null) : []),
      );
    }

    element.replaceChildren(
      el(
        "details",
        { class: "gs-gallery gs-panel" },
        el("summary", {}, el("strong", {}, "Publish"), " this preset in a gallery"),
        el(
          "div",
          { class: "gs-gallery-line" },
          to,
          el(
            "button",
            { type: "button", class: "gs-word", onclick: ask },
            "Show what would go out",
          ),
        ),
        el("label", { class: "gs-publish-with" }, picture, " with its picture, made small"),
        said,
        shown,
      ),
    );
    watch("value", draw);
    draw();
  };
})(window.studio);
