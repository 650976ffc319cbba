// Fields of a row that have no editor of their own: drawn from the schema's record.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** The editor of one field by its record; it reads and writes the row at the record's path. */
  studio.genericEditor = function (card, field) {
    const editor = studio.editorOf({
      field,
      label: field.title,
      step: 0.05,
      changed: () => card.edit(whole.write()),
    });
    const whole = {
      element: el(
        "div",
        { class: "gs-line gs-generic" },
        el("span", { class: "gs-tag", title: field.help || field.title }, field.title),
        editor.element,
      ),
      read: (row) => editor.read(studio.at(row, field.path)),
      write() {
        const [first] = field.path.split(".");
        return { [first]: studio.withAt(card.row, field.path, editor.write())[first] };
      },
      chips(row) {
        const value = studio.at(row, field.path);
        const plain = JSON.stringify(value) === JSON.stringify(field.default);
        return plain || value === undefined ? [] : [`${field.title} ${JSON.stringify(value)}`];
      },
    };
    return whole;
  };
})(window.studio);
