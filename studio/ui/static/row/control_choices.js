// What a row's control image can be read as, and by which ControlNet. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /** The reading that takes a picture as it is, whatever it shows. */
  studio.FINISHED = "map";

  /** The ControlNets of a base: those made for it, then those of its family that name no base. */
  studio.controlNets = function (models, base) {
    const family = models.find((entry) => entry.id === base)?.family || "";
    const usable = models.filter((entry) => entry.kind === "controlnet" && !entry.problem);
    return [
      ...usable.filter((entry) => entry.base === base),
      ...usable.filter((entry) => !entry.base && (!family || entry.family === family)),
    ];
  };

  /** The one that is taken where a row names none; undefined where there is none. */
  studio.automaticNet = (nets, type) => nets.find((entry) => entry.control === type);

  /**
   * Groups of a select over the table of preprocessors, `[name, title, help]` each: first those that
   * a ControlNet here reads by itself. `current` is among them even where the table lost it.
   */
  studio.readings = function (preprocessors, nets, current) {
    const known = preprocessors.map(([value, text, title]) => ({ value, text, title }));
    if (!known.some(({ value }) => value === current))
      known.push({ value: current, text: current, title: "Not known here" });
    const read = ({ value }) => Boolean(studio.automaticNet(nets, value));
    return [
      { title: "", options: known.filter(read) },
      { title: "With a ControlNet of your choice", options: known.filter((one) => !read(one)) },
    ].filter(({ options }) => options.length);
  };

  /** The ControlNets as options: whichever reads `type`, or one by its id. */
  studio.netOptions = function (nets, type, current) {
    const own = studio.automaticNet(nets, type);
    const named = ({ id, title, form }) => (title || id) + (form ? ` (${form})` : "");
    const options = nets.map((entry) => ({ value: entry.id, text: named(entry), own: true }));
    if (current && !options.some(({ value }) => value === current))
      options.push({ value: current, text: current, own: true });
    if (own || !current) options.unshift({ value: "", text: own ? "automatic" : "none yet" });
    return options;
  };

  /** Whether its preprocessor reads thresholds. */
  studio.hasThresholds = (control) => studio.served.thresholds.includes(control?.type);

  /**
   * A control of another type. Where a ControlNet reads that by itself, it is the one; else the one
   * in use until now stays, so that a finished map goes to the network that read the picture.
   */
  studio.withType = function (before, type, nets) {
    const { low, high, ...plain } = before;
    const control = studio.hasThresholds({ type }) ? before : plain;
    if (studio.automaticNet(nets, type)) return { ...control, type, model: null };
    const used = control.model || studio.automaticNet(nets, control.type)?.id || nets[0]?.id;
    return { ...control, type, model: used || null };
  };

  /** Every control of a row, the first first. */
  studio.controlsOf = (row) => (row.control ? [row.control, ...(row.controls ?? [])] : []);

  /** The field of a row that holds its control at a place; studio/preset/rows.py says the same. */
  studio.controlField = (at) => (at ? `controls.${at - 1}` : "control");

  /** What a row has once the control at a place is another one, null for none; behind the last it is added. */
  studio.withControl = function (row, at, control) {
    const all = studio.controlsOf(row);
    all.splice(at, 1, ...(control ? [control] : []));
    const [first = null, ...controls] = all;
    return { control: first, controls };
  };

  /** Put a picture where a control of other rows is the same but has none, as a picture of another tool
   *  brings it once for each row; the numbers of those rows. Of several the same in a row, each has one.
   *  @param card, place whose control it is, as it was before: `control` */
  studio.shareControlImage = function (card, place, control, image) {
    const same = JSON.stringify(control);
    const alike = (row) =>
      studio.controlsOf(row).flatMap((one, at) => (JSON.stringify(one) === same ? [at] : []));
    const equal = alike(card.row).filter((at) => at < place).length;
    const changed = [];
    card.stack.cards.forEach((other, index) => {
      const at = other === card ? undefined : alike(other.row)[equal];
      if (at === undefined) return;
      other.edit(studio.withControl(other.row, at, { ...control, image }));
      changed.push(index + 1);
    });
    return changed;
  };

  /** One more control beside others: of the same picture, read as something that none of them reads. */
  studio.nextControl = function (controls, preprocessors, nets) {
    const { image } = controls.at(-1);
    const read = new Set(controls.map(({ type }) => type));
    const names = preprocessors.map(([name]) => name);
    const type = names.find((name) => !read.has(name) && studio.automaticNet(nets, name));
    const blank = { ...studio.firstControl(preprocessors, nets), image };
    return type ? studio.withType(blank, type, nets) : blank;
  };

  /** The control of a row that gets its first picture. */
  studio.firstControl = function (preprocessors, nets) {
    const names = preprocessors.map(([name]) => name);
    const read = names.find((name) => studio.automaticNet(nets, name));
    const blank = { type: read || names[0], image: "", strength: 1, model: null };
    return studio.withType(blank, blank.type, nets);
  };
})(window.studio);
