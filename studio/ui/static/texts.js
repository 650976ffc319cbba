// A dialog of texts, which are not lost by a key.
(function (studio) {
  "use strict";
  const { el, word } = studio;

  /**
   * Ask for texts: an object by name, or null where it was left.
   * @param fields of {name, label, value, lines, longest}, `offers`, texts to choose from, and
   *   `proposed`: the first key takes the place of its value
   * @param leaving is asked before what was written is lost
   * @param refuse says what is wrong with all of them, or ""
   * @param keep keeps them while the dialog is open, and answers why they cannot be, or ""
   */
  studio.askTexts = function ({ title, fields, act, leaving, refuse = () => "", keep }) {
    return new Promise((resolve) => {
      let answer = null;
      const editors = fields.map((field) => {
        const { name, label, value, lines = 1 } = field;
        const editor = studio.textEditor({ field, label, lines, changed() {} });
        editor.read(value);
        const shown = el("span", {}, label);
        return {
          name,
          editor,
          element: el("label", { class: "gs-text-line" }, shown, editor.element),
        };
      });
      const written = () =>
        Object.fromEntries(editors.map(({ name, editor }) => [name, editor.box.value.trim()]));
      const before = studio.asText(written());
      const problem = el("p", { class: "gs-error", role: "alert", hidden: true });
      const holds = () => studio.asText(written()) !== before;
      const mayLeave = () => !holds() || window.confirm(studio.say(leaving));
      const leave = () => mayLeave() && dialog.close();
      async function keepAll() {
        const texts = written();
        problem.textContent = await keep(texts);
        problem.hidden = !problem.textContent;
        if (problem.hidden) {
          answer = texts;
          dialog.close();
        }
      }
      const form = el(
        "form",
        {
          method: "dialog",
          onsubmit: (event) => {
            const wrong = editors.find(({ editor }) => studio.isWrong(editor));
            problem.textContent = wrong ? "" : refuse(written());
            problem.hidden = !problem.textContent;
            if (!wrong && !problem.textContent && !keep) return (answer = written());
            wrong?.editor.box.focus();
            event.preventDefault();
            return !wrong && !problem.textContent && keepAll();
          },
        },
        el("strong", { dir: "auto" }, title),
        ...editors.map(({ element }) => element),
        problem,
        el(
          "div",
          { class: "gs-line gs-answers" },
          word("Cancel", leave),
          el("button", { class: "gs-word gs-main-word" }, act),
        ),
      );
      const dialog = el(
        "dialog",
        {
          class: "gs-painter gs-texts",
          "aria-label": title,
          onclose: () => {
            dialog.remove();
            resolve(answer);
          },
          oncancel: (event) => mayLeave() || event.preventDefault(),
          onkeydown: (event) => {
            if (event.key !== "Escape" || event.isComposing) return;
            event.preventDefault(); // a second Esc on end could not be refused as "cancel"
            leave();
          },
        },
        form,
      );
      studio.askBeforeReload(dialog, holds);
      document.body.append(dialog);
      dialog.showModal();
      for (const { editor } of editors) editor.read(editor.box.value); // as high as its text, once it is seen
      editors.find((_, index) => fields[index].proposed)?.editor.box.select();
    });
  };
})(window.studio);
