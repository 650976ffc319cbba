// Editors of one value: each a factory that returns {element, read, write}. `read(value)` shows a
// value, `write()` says what is shown; `changed()` is called when a person has edited it.
(function (studio) {
  "use strict";
  const { el } = studio;
  let ids = 0;

  /** A line for what is wrong with a box, tied to it for screen readers: {element, show(text)}. */
  studio.problemOf = function (box) {
    const id = `gs-error-${(ids += 1)}`;
    const element = el("span", { class: "gs-error", id, role: "alert", hidden: true });
    return {
      element,
      show(error) {
        element.textContent = error;
        element.hidden = !error;
        box.setAttribute("aria-invalid", String(Boolean(error)));
        if (error) box.setAttribute("aria-describedby", id);
        else box.removeAttribute("aria-describedby");
      },
    };
  };

  /** Whether what stands in an editor's box cannot be; why is said below it. */
  studio.isWrong = ({ box }) => box?.getAttribute("aria-invalid") === "true";

  /** A box for a number, which takes what is typed as it is and says below what is wrong with it. */
  studio.numberEditor = function ({ field, label, step = 1, placeholder = "", changed }) {
    let value = null;
    const box = el("input", {
      type: "text",
      inputmode: (field.low ?? field.above ?? -1) < 0 ? "text" : "decimal",
      autocomplete: "off",
      spellcheck: "false",
      class: "gs-number",
      "aria-label": label,
      title: `${label}: ${studio.allowed(field)}`,
      placeholder,
      oninput: () => {
        take();
        changed();
      },
      onchange: () => editor.read(value),
      onkeydown: (event) => {
        const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        box.value = studio.numberText(studio.stepped(field, Number(value ?? NaN), step, by));
        take();
        changed();
      },
    });
    const problem = studio.problemOf(box);
    function take() {
      const checked = studio.checkNumber(field, box.value);
      value = checked.value;
      problem.show(checked.error);
    }
    const editor = {
      element: el("span", { class: "gs-boxed" }, box, problem.element),
      box,
      read(next) {
        value = next;
        const text = studio.numberText(next);
        const shown = studio.checkNumber(field, box.value);
        const plain = !shown.error && studio.parseNumber(box.value) === next; // 1,000 is no plain 1
        const same = shown.value === next || plain;
        const stands = same && (document.activeElement === box || shown.error); // as it was typed
        if (!stands && box.value !== text) box.value = text;
        problem.show(studio.checkNumber(field, box.value).error);
      },
      write: () => value,
    };
    return editor;
  };

  /** A number with a slider over its usual reach; the box goes as far as the schema. */
  studio.sliderEditor = function ({ field, label, reach, changed, ...others }) {
    const [low, high, step] = reach;
    const number = studio.numberEditor({
      field,
      label,
      step,
      ...others,
      changed: () => {
        place(number.write());
        changed();
      },
    });
    const slider = el("input", {
      type: "range",
      class: "gs-slider gs-plain",
      min: low,
      max: high,
      step,
      "aria-label": `${label} (slider)`,
      oninput: () => {
        number.read(Number(slider.value));
        place(number.write());
        changed();
      },
    });
    function place(value) {
      const shown = Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : low;
      slider.value = shown;
      const from = low < 0 ? Math.min(shown, 0) : low;
      const to = low < 0 ? Math.max(shown, 0) : shown;
      const part = (at) => `${((at - low) / (high - low)) * 100}%`;
      slider.style.setProperty("--from", part(from));
      slider.style.setProperty("--to", part(to));
    }
    return {
      element: el("span", { class: "gs-sliding" }, slider, number.element),
      box: number.box,
      read(value) {
        number.read(value);
        place(value);
      },
      write: number.write,
    };
  };

  studio.choiceEditor = function ({ field, label, changed }) {
    const select = el(
      "select",
      { class: "gs-select", "aria-label": label, onchange: () => changed() },
      field.nullable ? el("option", { value: "" }, "–") : null,
      ...field.choices.map(([value, title]) => el("option", { value }, title)),
    );
    return {
      element: select,
      box: select,
      read(value) {
        const text = String(value ?? "");
        const known = [...select.options].some((option) => option.value === text);
        const number = field.high !== undefined && Number.isFinite(studio.parseNumber(text));
        if (!known && text)
          select.append(el("option", { value: text }, number ? text : `${text} (unknown)`));
        select.value = text;
      },
      write: () => select.value,
    };
  };

  studio.switchEditor = function ({ label, changed }) {
    const box = el("input", {
      type: "checkbox",
      class: "gs-check",
      "aria-label": label,
      onchange: () => changed(),
    });
    return {
      element: box,
      box,
      read: (value) => (box.checked = value === true),
      write: () => box.checked,
    };
  };

  /** The list that a box offers, as it is when the box is entered: of what `offered()` answers. */
  function listed(box, offered) {
    const list = el("datalist", { id: `gs-listed-${(ids += 1)}`, translate: "no" });
    box.setAttribute("list", list.id);
    box.addEventListener("focus", () => list.replaceChildren(...offered()));
    return list;
  }
  /** The library's models of some kinds. */
  const modelsOf = (kinds) =>
    (studio.stack?.models.options(kinds, "") || []).map(({ value, text }) =>
      el("option", { value: value[1] }, text),
    );
  function listOf(box, { models, offers } = {}) {
    if (models) return listed(box, () => modelsOf(models));
    return offers?.length
      ? listed(box, () => offers.map((value) => el("option", { value })))
      : null;
  }

  /** A text of one line or, with ``lines`` above 1, of as many; nothing that is pasted is cut. */
  studio.textEditor = function ({ field, label, placeholder = "", lines = 1, changed }) {
    const box = el(lines > 1 ? "textarea" : "input", {
      ...(lines > 1 ? { rows: 1 } : { type: "text" }),
      class: "gs-text",
      dir: "auto",
      "aria-label": label,
      placeholder,
      oninput: () => {
        check();
        changed();
      },
    });
    const problem = studio.problemOf(box);
    const list = listOf(box, field);
    let refused = ""; // what the server says of it
    function check() {
      problem.show(studio.checkLength(box.value, field.longest) || refused);
      if (lines < 2) return;
      box.style.height = "auto";
      const most = lines * 20 + 16;
      if (box.scrollHeight) box.style.height = `${Math.min(most, box.scrollHeight + 2)}px`;
    }
    if (lines > 1) window.addEventListener("resize", check);
    return {
      element: el("span", { class: "gs-boxed" }, box, list, problem.element),
      box,
      read(value) {
        if (box.value !== (value ?? "")) box.value = value ?? "";
        check();
      },
      mark(text) {
        refused = text;
        check();
      },
      write: () => box.value || (field.nullable ? null : ""),
    };
  };

  /** What has no editor of its own yet, as JSON; text that is none goes to the server as it is. */
  studio.jsonEditor = function ({ field, label, changed }) {
    const text = studio.textEditor({ field, label, placeholder: "JSON", changed });
    return {
      ...text,
      read: (value) =>
        text.read(value === null || value === undefined ? "" : JSON.stringify(value)),
      write() {
        const shown = text.box.value.trim();
        if (!shown) return field.default ?? null;
        try {
          return JSON.parse(shown);
        } catch {
          return shown;
        }
      },
    };
  };

  const EDITORS = {
    choice: "choiceEditor",
    boolean: "switchEditor",
    text: "textEditor",
    json: "jsonEditor",
  };

  /** The editor of a field by its record. */
  studio.editorOf = function (options) {
    const { kind } = options.field;
    if (options.reach) return studio.sliderEditor(options);
    return studio[EDITORS[kind] || "numberEditor"](options);
  };

  /** What the server says is wrong here, unless the editors inside ``node`` say so themselves. */
  studio.showFault = function (node, fault, text) {
    const own = [...node.querySelectorAll(".gs-error:not([hidden])")].some((one) => one !== fault);
    fault.textContent = own ? "" : text;
    fault.hidden = own || !text;
  };
})(window.studio);
