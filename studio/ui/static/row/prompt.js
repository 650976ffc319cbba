// A row's prompt: text, split at AND, its tokens, words that the base does not know.
(function (studio) {
  "use strict";
  const { el, button, icon } = studio;

  studio.rowEditors.prompt = function (card) {
    const area = el("textarea", {
      class: "gs-prompt",
      rows: 1,
      dir: "auto",
      "aria-label": "Prompt of this row",
      spellcheck: "false",
      maxlength: studio.longest("Row", "prompt"),
      oninput: () => {
        card.edit(editor.write());
        grow();
      },
      onscroll: () => words.scroll(),
    });
    const split = button(
      "split",
      "Split into parts at AND",
      () => {
        card.edit({ prompt: studio.proposeSplit(card.row.prompt) });
        grow();
      },
      { class: "gs-tool gs-split" },
    );
    const words = studio.promptWords(card, area);
    const field = el("div", { class: "gs-field" }, words.marks, area, split);
    const note = el("div", { class: "gs-note" }, "Concept model: acts without a prompt");
    const hints = el("div", { class: "gs-prompt-hints", role: "status" });

    function grow() {
      area.style.height = "auto";
      if (area.scrollHeight) area.style.height = `${Math.min(160, area.scrollHeight + 2)}px`;
      words.scroll();
    }

    function showSplit(prompt) {
      const joined = /\sAND\s/.test(prompt);
      const label = joined
        ? "Join the parts again"
        : "Split into parts at AND, so that decoupling can weigh them";
      split.hidden = studio.proposeSplit(prompt) === prompt.trim();
      split.title = label;
      split.setAttribute("aria-label", label);
      split.replaceChildren(icon(joined ? "merge" : "split"));
    }

    const editor = {
      element: el("div", { class: "gs-prompt-part" }, field, note),
      below: el("div", { class: "gs-prompt-below" }, hints, words.element),
      area,
      grow,
      status: words.status,
      read(row) {
        const mute = card.kind() === "concept";
        field.hidden = editor.below.hidden = words.status.hidden = mute;
        note.hidden = !mute;
        if (area.value !== row.prompt) area.value = row.prompt;
        const trigger = card.trigger();
        area.placeholder = trigger
          ? `prompt, for example "${trigger}"`
          : "prompt (empty: unconditional)";
        showSplit(row.prompt);
        hints.replaceChildren(...studio.foreignHints(row.prompt).map((hint) => el("p", {}, hint)));
        words.read(row.prompt);
        grow();
      },
      write: () => ({ prompt: area.value }),
    };
    return editor;
  };
})(window.studio);
