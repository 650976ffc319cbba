// What is made of pictures: variations, larger, more around them.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const META = { _type: "gradio.FileData" };

  /** A line of the form: {name, element, box, write()}. Of a number {name, label, value, low, high,
   *  step, kind}, with `choices` [[value, text]], or a `check`. */
  function line(field) {
    const { name, label, value, choices, check } = field;
    const editor = check ? ticked(name) : choices ? chosen(name, choices) : numbered(field);
    if (editor.box) editor.read(value);
    const element = el("label", { class: "gs-work-line" }, el("span", {}, label), editor.element);
    return { name, element, box: editor.box, write: editor.write };
  }
  function ticked(name) {
    const element = el("input", { type: "checkbox", class: "gs-check", name });
    return { element, write: () => element.checked };
  }
  function chosen(name, choices) {
    const options = choices.map(([one, text]) => el("option", { value: one }, text));
    const element = el("select", { class: "gs-select gs-work-choice", name }, ...options);
    return { element, write: () => element.value };
  }
  function numbered(field) {
    const { name, label, step } = field;
    const editor = studio.numberEditor({ field, label, step, changed() {} });
    editor.box.name = name;
    return editor;
  }

  /** Ask for numbers and choices: an object by name, or null when it was cancelled. `refuse` says
   *  what is wrong with all of them together, or "". */
  studio.askNumbers = function ({ title, note, fields, act, source, refuse = () => "" }) {
    return new Promise((resolve) => {
      let answer = null;
      const lines = fields.map(line);
      const problem = el("p", { class: "gs-error", role: "alert", hidden: true });
      const form = el(
        "form",
        {
          method: "dialog",
          onsubmit: (event) => {
            const wrong = lines.find(studio.isWrong);
            if (wrong) {
              event.preventDefault(); // what is wrong is said at the field
              wrong.box.focus();
              return;
            }
            const given = Object.fromEntries(lines.map(({ name, write }) => [name, write()]));
            problem.textContent = refuse(given);
            problem.hidden = !problem.textContent;
            if (!problem.hidden) event.preventDefault();
            else answer = given;
          },
        },
        el("strong", {}, title),
        source ? el("img", { src: source, alt: "" }) : null,
        el("p", { class: "gs-work-note" }, note),
        ...lines.map(({ element }) => element),
        problem,
        el(
          "div",
          { class: "gs-line gs-answers" },
          word("Cancel", () => dialog.close()),
          el("button", { class: "gs-word gs-main-word" }, act),
        ),
      );
      const dialog = el(
        "dialog",
        {
          class: "gs-painter gs-uses gs-work",
          "aria-label": title,
          onclose: () => {
            dialog.remove();
            resolve(answer);
          },
        },
        form,
      );
      document.body.append(dialog);
      dialog.showModal();
      const numbers = () => JSON.stringify(lines.map(({ write }) => write()));
      const before = numbers();
      studio.askBeforeReload(dialog, () => numbers() !== before);
    });
  };

  const WORKS = [
    {
      do: "vary",
      ofPreset: true,
      label: "Variations of it …",
      title: "Variations",
      note: "The same preset and seed, the noise turned a little towards other noise: 0.1 is near, 0.5 far.",
      act: "Make them",
      fields: [
        { name: "count", label: "Pictures", value: 4, low: 1, high: 16, kind: "integer" },
        { name: "strength", label: "How far", value: 0.25, low: 0.01, high: 1, step: 0.01 },
      ],
    },
    {
      do: "larger",
      label: "Make it larger with the same rows …",
      title: "A larger one",
      note:
        "A second pass: the picture is enlarged, and its rows, masks too, work out what is new. Above " +
        "strength 0.5 things may double that are larger than the model's own size. In tiles detail is " +
        "drawn at that size; each has the whole prompt, so keep the strength below 0.4 or so. At " +
        "strength 0 the picture is only enlarged.",
      act: "Make it larger",
      fields: [
        { name: "factor", label: "Times as large", value: 2, low: 1.1, high: 8, step: 0.05 },
        { name: "strength", label: "Strength", value: 0.35, low: 0, high: 1, step: 0.05 },
        { name: "upscaler", label: "Upscaler", models: ["upscaler"], choices: [["", "none"]] },
        {
          name: "enlarge",
          label: "Enlarged in its",
          choices: [
            ["pixels", "pixels"],
            ["latents", "latents, from strength 0.5"],
          ],
        },
        { name: "tiles", label: "In tiles of the model's own size", check: true },
      ],
      refuse: ({ upscaler, enlarge }) =>
        upscaler && enlarge === "latents" ? "An upscaler enlarges pixels, not latents." : "",
    },
    {
      do: "extend",
      fills: true,
      label: "Paint more around it …",
      title: "More around it",
      note:
        "Pixels to add on each side. The form then starts from the picture with this room, and only the " +
        "room is painted: say in the rows what is there, and press Generate. What is missing to a size " +
        "that the model makes is added right and below.",
      act: "Fill the form",
      refuse: (sides) =>
        Object.values(sides).some(Boolean) ? "" : "At least one side needs more than 0 pixels.",
      fields: ["left", "top", "right", "bottom"].map((name) => ({
        name,
        label: name[0].toUpperCase() + name.slice(1),
        value: 64,
        low: 0,
        high: 4096,
        step: 8,
        kind: "integer",
      })),
    },
    {
      do: "begin",
      ofPreset: true,
      fills: true,
      label: "Start from it, with its preset",
    },
  ];

  /** The fields of a work with the bounds of this page, for a picture of this size. */
  studio.bounded = function (fields, { width, height }, most) {
    const times = Math.floor(100 * Math.min(most("width") / width, most("height") / height)) / 100;
    const highest = { count: most("count"), factor: times };
    return fields.map((field) => {
      const high = Math.min(field.high, highest[field.name] ?? Infinity);
      const value = Math.min(field.value, high);
      return "high" in field ? { ...field, value, high } : field;
    });
  };

  /** The fields with the library's models among their choices; without those that have none. */
  studio.withModels = function (fields, ids) {
    const filled = fields.map((field) => {
      const own = field.models ? ids(field.models) : [];
      return { ...field, ...(own.length ? { choices: [...field.choices, ...own] } : {}) };
    });
    return filled.filter(({ models, choices }) => !models || choices.length > 1);
  };

  async function sizeOf(file) {
    try {
      const { width, height } = await createImageBitmap(file);
      return { width, height };
    } catch {
      return { width: 1, height: 1 }; // the server says what is wrong with it
    }
  }

  let hands = null; // {trigger, upload, fill}
  studio.mountWorks = function (trigger, upload) {
    hands = { trigger, upload: studio.sending(upload), fill: studio.newest(trigger, "select") };
  };

  const modelsOf = (kinds) =>
    (studio.stack?.models.options(kinds, "") || []).map(({ value: [, id], text }) => [id, text]);

  /** What a work asks of a person: numbers and choices by name, or null. */
  async function askedOf(one, file) {
    if (one.do === "vary") {
      const { error } = await studio.stack.images.seedOf(file); // else numbers are asked for in vain
      if (error) {
        studio.toast(error);
        return null;
      }
    }
    const known = studio.withModels(one.fields, modelsOf);
    const fields = studio.bounded(known, await sizeOf(file), studio.mostOf);
    if (fields.some(({ low, high }) => high < low)) {
      studio.toast("The picture is as large as this page makes them");
      return null;
    }
    const source = URL.createObjectURL(file);
    const numbers = await studio.askNumbers({ ...one, fields, source });
    URL.revokeObjectURL(source);
    return numbers;
  }

  async function work(one, file) {
    const numbers = one.fields ? await askedOf(one, file) : {};
    if (!numbers) return undefined;
    try {
      const asked = { do: one.do, ...numbers, picture: await studio.uploadPicture(file) };
      if (one.fills) studio.fillWork(asked);
      else studio.submitWork(asked);
    } catch (error) {
      studio.toast(`The picture could not be uploaded (${error.message || error})`);
    }
    return undefined;
  }

  /** What can be made of a picture, as `studio.pictureUses` has it. */
  studio.pictureWorks = () => WORKS.map((one) => ({ ...one, take: (file) => work(one, file) }));

  /** How pictures are to be made larger: numbers and choices by name, or null. */
  studio.askLarger = function (count) {
    const one = WORKS.find((work) => work.do === "larger");
    const many = count > 1 ? { title: `${count} larger ones`, act: "Make them larger" } : {};
    return studio.askNumbers({ ...one, ...many, fields: studio.withModels(one.fields, modelsOf) });
  };

  /** Fill the form as a work asks for it. */
  studio.fillWork = (asked) => hands.fill(asked);

  /** Have pictures made as a work asks for them. */
  studio.submitWork = (asked) => hands.trigger("submit", asked);

  /** Upload a picture as it is: what names it to the server. */
  studio.uploadPicture = async (file) => ({ path: (await hands.upload(file)).path, meta: META });

  /** The pictures on the way from one seed to another, of two pictures of the history. */
  studio.between = async function (ids) {
    const count = { name: "count", label: "Pictures", value: 6, low: 2, high: 32, kind: "integer" };
    const numbers = await studio.askNumbers({
      title: "From seed to seed",
      note: "The first picture's preset, its noise turned step by step into that of the second's seed.",
      act: "Make them",
      fields: studio.bounded([count], { width: 1, height: 1 }, studio.mostOf),
    });
    if (numbers) studio.submitWork({ do: "between", ids, ...numbers });
  };
})(window.studio);
