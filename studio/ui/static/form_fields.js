// The fields of the form that are fields of a preset: mounted, set and asked from elsewhere.
(function (studio) {
  "use strict";
  const { el } = studio;

  const fields = {};
  const records = {};

  /** The most that a field of the form takes on this page. */
  studio.mostOf = (name) => records[name]?.high ?? Infinity;

  /** What a form holds at a path of its preset: a field, all fields below it, or part of a row. */
  studio.formAt = (form, path) => {
    const own = Object.values(records).filter(
      (field) => field.path === path || field.path.startsWith(`${path}.`),
    );
    return own.length ? own.map(({ name }) => form[name]) : studio.at(form, path);
  };

  /** Set a field of the form from elsewhere on the page. */
  studio.setField = (name, value) => fields[name]?.(value);

  /** What the fields that stand on the page hold, by name: also what no event has told of yet. */
  const held = {};
  studio.heldFields = () =>
    Object.fromEntries(
      Object.entries(held)
        .filter(([, { node }]) => node.isConnected)
        .map(([name, { value }]) => [name, value()]),
    );

  /** Body of a Field component: label, editor, help, and why it changes nothing at present. */
  studio.mountField = function (element, props, watch, record) {
    const { field, slider, placeholder, lines, bare, varied, written } = record;
    const editor = studio.editorOf({
      field,
      label: field.title,
      reach: slider,
      step: slider?.[2] ?? 1,
      placeholder,
      lines,
      changed: () => {
        props.value = editor.write();
      },
    });
    const title = varied
      ? studio.varyButton({
          title: field.title,
          text: field.title,
          path: () => field.path,
          values: () => studio.valuesToVary(field, props.value),
        }).element
      : el("span", { class: "gs-field-name", "aria-hidden": "true" }, field.title);
    const fault = el("span", { class: "gs-error gs-fault", role: "alert", hidden: true });
    const idle = el("span", { class: "gs-idle", hidden: true });
    const node = el(
      "div",
      { class: `gs-field-box gs-kind-${field.kind}`, "data-path": field.path },
      bare ? null : title,
      editor.element,
      fault,
      field.help ? el("span", { class: "gs-field-help" }, field.help) : null,
      idle,
    );
    element.replaceChildren(node);
    records[field.name] = field;
    fields[field.name] = (value) => {
      editor.read(value);
      props.value = editor.write();
    };
    const value = () => (field.nullable && props.value === "" ? null : props.value); // Gradio's null
    held[field.name] = { node, value };
    /** Show what has come. What the studio wrote itself is from here on in the page's language. */
    const show = () => {
      if (written?.some((beginning) => String(props.value ?? "").startsWith(beginning)))
        props.value = studio.say(props.value);
      editor.read(props.value);
    };
    show();
    watch("value", show);
    studio.on("fault", ({ field: path, text }) =>
      studio.showFault(node, fault, path === field.path ? text : ""),
    );
    studio.on("idle", (reasons) => {
      const reason = reasons[field.name] || "";
      node.classList.toggle("gs-dim", Boolean(reason));
      idle.textContent = reason;
      idle.hidden = !reason;
      node.hidden = reasons[field.name] === null;
    });
  };
})(window.studio);
