// One axis of a sweep: which field, which values, and in red what is wrong with them.
(function (studio) {
  "use strict";
  const { el } = studio;
  const SIDES = ["Across", "Down", "Pages"];

  /**
   * The editor of the axis number `index`: {element, show(fault), focus()}.
   * @param groups answers the fields that can be varied now
   */
  studio.axisEditor = function (index, { groups, titles }) {
    const axis = studio.axes.list()[index];
    const find = (path) =>
      groups()
        .flatMap((one) => one.options)
        .find((one) => one.path === path);
    const leaf = find(axis.field)?.leaf;
    const long = leaf?.kind === "text" || axis.values.startsWith('["');
    const name = studio.fieldInWords(axis.field, titles);

    /** Change the axes; values that somebody has typed can be taken back. */
    function undoably(change) {
      const before = studio.axes.list();
      const { values, field } = before[index];
      change();
      if (!values || values === find(field)?.values()) return;
      if (studio.axes.list().some((one) => one.values === values)) return; // another field has them
      const gone = field
        ? `${name} is varied no more.`
        : "Values that waited for a field are gone.";
      studio.axesUndoable(gone, before);
    }

    const select = el("select", {
      class: "gs-select",
      "aria-label": `${SIDES[index]}: the field`,
      onchange: () => {
        const now = studio.axes.list()[index].values;
        const values = (axis.field ? "" : now) || find(select.value)?.values() || "";
        undoably(() => studio.axes.set(index, { field: select.value, values }, "list"));
        studio.emit("sweepfocus", { path: select.value, index });
      },
    });
    function offer() {
      const known = groups();
      const options = known.map(({ title, options }) =>
        el(
          "optgroup",
          { label: title },
          ...options.map(({ path, text }) => el("option", { value: path }, text)),
        ),
      );
      if (!find(axis.field))
        options.push(el("option", { value: axis.field }, axis.field ? `${name} (not here)` : "–"));
      select.replaceChildren(...options);
      select.value = axis.field;
    }
    offer();
    // Rows may have come or gone since: the list is made anew when it is about to open.
    for (const kind of ["pointerdown", "focus"]) select.addEventListener(kind, offer);

    const box = el(long ? "textarea" : "input", {
      ...(long ? { rows: 2 } : { type: "text" }),
      class: "gs-text",
      dir: "auto",
      spellcheck: "false",
      autocomplete: "off",
      "aria-label": `${SIDES[index]}: values of ${name}`,
      placeholder: studio.valuesHint(long ? { kind: "text" } : leaf),
      oninput: () => {
        const values = long ? studio.listOfLines(box.value) : box.value;
        studio.axes.set(index, { values }, "text");
        grow();
        warn();
      },
    });
    box.value = long ? studio.linesOfList(axis.values) : axis.values;
    function grow() {
      if (!long) return;
      box.style.height = "auto";
      if (box.scrollHeight) box.style.height = `${Math.min(200, box.scrollHeight + 2)}px`;
    }
    requestAnimationFrame(grow);
    const note = el("span", { class: "gs-field-help", role: "status" });
    function warn() {
      const list = leaf?.kind === "number" ? studio.commasIn(box.value) : "";
      const commas = list
        ? `A comma divides values: ${list}. A decimal has a point, or semicolons divide.`
        : "";
      note.textContent = commas || leaf?.note || "";
      note.hidden = !note.textContent;
    }
    warn();
    const problem = studio.problemOf(box);
    return {
      element: el(
        "li",
        { class: "gs-axis" },
        el("span", { class: "gs-axis-side" }, SIDES[index]),
        select,
        el(
          "span",
          { class: "gs-axis-tools" },
          index
            ? studio.button("up", `Swap ${name} with the field before`, () => {
                studio.axes.forward(index);
                studio.emit("sweepfocus", { path: axis.field, index: index - 1 });
              })
            : "",
          studio.button("close", `Do not vary ${name}`, () =>
            undoably(() => studio.axes.remove(index)),
          ),
        ),
        el("span", { class: "gs-boxed" }, box, problem.element, note),
      ),
      field: axis.field,
      show: (fault) => problem.show(fault || ""),
      focus() {
        box.focus();
        box.setSelectionRange?.(box.value.length, box.value.length);
      },
    };
  };
})(window.studio);
