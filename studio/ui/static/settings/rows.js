// One setting: its name, its editor, where its value comes from, and a way back to the default.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** Where a value comes from, in words. */
  studio.originOf = function ({ origin, variable }) {
    if (origin === "environment") return `set by ${variable}`;
    return origin === "file" ? "set here" : "default";
  };

  /** A number as it was typed, in any digits; nothing for none, and what is no number as it is, to be
   *  refused. */
  studio.settingNumber = function (text) {
    return studio.checkNumber({ kind: "integer", nullable: true }, text).value;
  };

  /** A choice; one with a name of its own, such as a language, is called by that. */
  const option = (value, name) =>
    el("option", { value, translate: name ? "no" : null }, name ?? value);

  const PLACEHOLDERS = { folder: "~/Pictures/studio", text: "[date]/[time]-[seed]-[prompt]" };
  function editor(row, locked, set) {
    const common = {
      id: `gs-setting-${row.name}`,
      disabled: locked,
      "data-name": row.name,
      "aria-describedby": `gs-setting-${row.name}-help`,
      "aria-invalid": row.refused ? "true" : null,
    };
    const given = row.refused ? row.refused.given : row.value; // what is refused stands as typed
    if (row.kind === "switch")
      return el("input", {
        ...common,
        type: "checkbox",
        class: "gs-check",
        checked: row.value,
        onchange: ({ target }) => set(target.checked),
      });
    if (row.kind === "number")
      return el("input", {
        ...common,
        type: "text",
        inputmode: "numeric",
        class: "gs-settings-number",
        value: given,
        onchange: ({ target }) => set(studio.settingNumber(target.value)),
      });
    if (row.kind in PLACEHOLDERS)
      return el("input", {
        ...common,
        type: "text",
        class: "gs-settings-folder",
        dir: "ltr",
        spellcheck: "false",
        placeholder: PLACEHOLDERS[row.kind],
        value: given,
        onchange: ({ target }) => set(target.value.trim() || null),
      });
    const node = el(
      "select",
      { ...common, class: "gs-settings-choice", onchange: ({ target }) => set(target.value) },
      ...row.choices.map((choice) => option(choice, row.names[choice])),
    );
    node.value = row.value;
    return node;
  }

  /**
   * A setting's row.
   * @param act {set(name, value), reset(name)}
   */
  studio.settingRow = function (row, editable, act) {
    const locked = !editable || row.origin === "environment";
    const back =
      editable && row.origin === "file"
        ? el(
            "button",
            {
              type: "button",
              class: "gs-word",
              "aria-label": `Put ${row.title} back to its default`,
              "data-name": `${row.name}-reset`,
              onclick: () => act.reset(row.name),
            },
            "Default",
          )
        : null;
    const waits = row.waits
      ? el("strong", { class: "gs-settings-waits" }, "Restart the studio to use it.")
      : null;
    const refused = row.refused
      ? el("strong", { class: "gs-settings-fault", role: "alert" }, row.refused.text)
      : null;
    const fault = row.problem
      ? el("strong", { class: "gs-settings-fault" }, `${row.variable}: ${row.problem}`)
      : null;
    const note = row.note
      ? el("strong", { class: "gs-settings-waits", role: "status" }, row.note)
      : null;
    const help = row.restart && !row.waits ? `${row.help} Used from the next start.` : row.help;
    return el(
      "div",
      { class: "gs-settings-row", "data-setting": row.name },
      el("label", { for: `gs-setting-${row.name}` }, row.title),
      el(
        "span",
        { class: "gs-settings-value" },
        editor(row, locked, (value) => act.set(row.name, value)),
        back,
        el("em", { class: "gs-settings-origin" }, studio.originOf(row)),
      ),
      el("p", { id: `gs-setting-${row.name}-help` }, help),
      row.example ? el("p", { role: "status" }, row.example) : null,
      refused,
      note,
      waits,
      fault,
    );
  };
})(window.studio);
