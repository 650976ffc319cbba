// The list of fields that can be varied: those of the whole preset, and those of its rows.
(function (studio) {
  "use strict";
  let form = {}; // the form as it is, by the names of its fields
  studio.on("form", (text) => (form = JSON.parse(text)));

  /** Values to begin with for a field of the whole preset. */
  studio.valuesToVary = function (leaf, value) {
    const side = ["width", "height"].indexOf(leaf.name);
    if (side >= 0) return studio.sizesAround(Number(value) || studio.pictureSize()[side]);
    return studio.valuesAround(leaf, value);
  };

  let styles = []; // the names of those that an axis takes
  studio.on("styles", (cards) => {
    styles = cards.filter(({ varies }) => varies).map(({ title }) => title);
  });

  /** Styles in turn, where there are some; first none of them. */
  function ofStyles(leaf) {
    const values = () => JSON.stringify(["", ...styles.slice(0, MOST - 1)]);
    return styles.length ? [{ path: leaf.path, text: leaf.title, leaf, values }] : [];
  }

  /** The scale of all rows, where they have one. */
  function ofScale(leaf) {
    const { value, can } = studio.guidanceScaleOf(
      (studio.stack?.cards || []).map(({ row }) => row),
    );
    const values = () => studio.valuesAround(leaf, value ?? undefined);
    return can ? [{ path: leaf.path, text: leaf.title, leaf, values }] : [];
  }

  const whole = (leaf) => ({
    path: leaf.path,
    text: leaf.title,
    leaf,
    values: () => studio.valuesToVary(leaf, form[leaf.name] ?? leaf.default),
  });

  /** A field of the picture to start from, while there is one; those of a mask where it has one. */
  function ofStart(leaf) {
    const init = studio.start?.init;
    const name = leaf.path.replace(START, "");
    if (!init || (!init.mask && OF_MASK.includes(name))) return [];
    const values = () => studio.valuesAround(leaf, init[name] ?? leaf.default);
    return [{ path: leaf.path, text: leaf.title, leaf, values }];
  }

  const START = /^init\./;
  const OF_MASK = ["under_mask", "soft_inpainting", "keep_pixels", "feather", "area", "padding"];
  const MOST = 6; // models or styles to begin with, as an axis's values

  /** How many letters two names begin with alike. */
  function alike(one, other) {
    let count = 0;
    while (count < one.length && one[count] === other[count]) count += 1;
    return count;
  }

  /** A row's model and others of the library in its place, one a line; first those that are called
   *  alike, as the states of one training are. */
  studio.modelsToVary = function (id, models) {
    const adapters = (kind) => (studio.served.adapters.includes(kind) ? "lora" : kind);
    const kind = adapters(models.entryOf(id)?.kind);
    const others = models.all
      .filter((one) => one.id !== id && kind && adapters(one.kind) === kind && models.fits(one))
      .map((one) => one.id)
      .sort((a, b) => alike(b, id) - alike(a, id) || a.localeCompare(b));
    return JSON.stringify([id, ...others.slice(0, MOST - 1)]);
  };

  /** The fields of a row that can be varied: its name, the definition's bounds, where it is. */
  function ofRow(card, index) {
    const { row } = card;
    const parts = [
      ["weight", "weight", studio.fieldOf("Row", "weight"), row.weight],
      ["prompt", "prompt", { kind: "text" }, row.prompt],
      ["enabled", "on or off", { kind: "boolean" }, row.enabled],
    ];
    for (const [at, control] of studio.controlsOf(row).entries())
      parts.push([
        `${studio.controlField(at)}.strength`,
        at ? `strength of control ${at + 1}` : "control strength",
        studio.fieldOf("Control", "strength"),
        control.strength,
      ]);
    const { model } = row;
    const varied = (id) => () => studio.modelsToVary(id, card.stack.models);
    if (typeof model === "string")
      parts.push(["model", "model", { kind: "text" }, model, varied(model)]);
    if (model?.lora) {
      parts.push(["model.lora", "LoRA", { kind: "text" }, model.lora, varied(model.lora)]);
      parts.push([
        "model.strength",
        "strength of the LoRA",
        studio.fieldOf("ModelRef", "strength"),
        model.strength ?? 1,
      ]);
    }
    const adapter = studio.fieldOf("AdapterRef", "strength");
    for (const [at, one] of (model?.loras || []).entries())
      parts.push([
        `model.loras.${at}.strength`,
        `strength of ${one.lora}`,
        adapter,
        one.strength ?? 1,
      ]);
    if (row.image_prompt)
      parts.push([
        "image_prompt.strength",
        "strength of the image prompt",
        studio.fieldOf("ImagePrompt", "strength"),
        row.image_prompt.strength,
      ]);
    return parts.map(([name, text, leaf, value, values]) => ({
      path: `rows.${index}.${name}`,
      text: `Row ${index + 1}: ${text}`,
      leaf,
      values: values ?? (() => studio.valuesAround(leaf, value)),
    }));
  }

  /** All of them in groups: {title, options}; an option is {path, text, leaf, values()}. */
  studio.fieldsToVary = function (leaves) {
    const own = (leaf) => leaf.path.startsWith("sampler.");
    const special = { cfg: ofScale, style: ofStyles };
    const ofAll = (leaf) => special[leaf.path]?.(leaf) ?? [whole(leaf)];
    const ofWhole = (leaf) => !own(leaf) && !START.test(leaf.path);
    const rows = (studio.stack?.cards || []).map((card, index) => {
      const prompt = card.row.prompt.trim();
      const short = prompt.length > 28 ? `${prompt.slice(0, 27)}…` : prompt;
      return {
        title: `Row ${index + 1}${short ? `: “${short}”` : ""}`,
        options: ofRow(card, index),
      };
    });
    return [
      ...rows,
      { title: "The whole", options: leaves.filter(ofWhole).flatMap(ofAll) },
      {
        title: "Start from a picture",
        options: leaves.filter(({ path }) => START.test(path)).flatMap(ofStart),
      },
      { title: "Sampling", options: leaves.filter(own).map(whole) },
    ].filter(({ options }) => options.length);
  };
})(window.studio);
