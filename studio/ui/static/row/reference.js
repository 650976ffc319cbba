// What a row is compared with; the usual negative prompt as a pair of rows.
(function (studio) {
  "use strict";
  const { el } = studio;
  const TITLES = studio.titles.rows_reference;

  studio.rowEditors.reference = function (card) {
    const text = studio.textEditor({
      field: { longest: studio.longest("PromptReference", "prompt") },
      label: "Reference prompt",
      placeholder: "reference prompt",
      changed: () => card.edit(editor.write()),
    });
    const select = el(
      "select",
      {
        class: "gs-select",
        "aria-label": "Reference of this row",
        onchange: () => {
          if (select.value === "pair") {
            editor.read(card.row);
            card.stack.addNegative(card);
            return;
          }
          card.edit(editor.write());
          if (select.value === "prompt") text.box.focus();
        },
      },
      ...studio
        .namesOf("Row", "reference")
        .map((name) => el("option", { value: name }, TITLES[name] || name)),
      el("option", { value: "prompt" }, "another prompt"),
      el("option", { value: "pair" }, "negative prompt: adds its row …"),
    );
    const editor = {
      element: el(
        "div",
        { class: "gs-line gs-referring" },
        el("span", { class: "gs-tag", title: "What the row is compared with" }, "Reference"),
        select,
        text.element,
      ),
      read({ reference }) {
        const named = typeof reference === "object";
        select.value = named ? "prompt" : reference;
        text.element.hidden = !named;
        if (named) text.read(reference.prompt);
      },
      write: () => ({
        reference: select.value === "prompt" ? { prompt: text.write() } : select.value,
      }),
      chips({ reference }) {
        if (typeof reference === "object") return [`vs “${reference.prompt || "∅"}”`];
        return reference === "unconditional" ? [] : [`vs ${reference}`];
      },
    };
    return editor;
  };
})(window.studio);
