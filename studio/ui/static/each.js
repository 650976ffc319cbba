// Many pictures at once: a preset made over each of them, each made larger, all for a training.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** Where each of many pictures may stand in turn: {label, field}. */
  studio.fieldsForEach = function (rows) {
    const found = [{ label: "Start from each of them in turn", field: "init.image" }];
    rows.forEach((row, index) => {
      const at = (part) => `rows.${index}.${part}`;
      const name = `row ${index + 1}${row.prompt ? `: ${row.prompt}` : ""}`;
      for (const [place, control] of studio.controlsOf(row).entries())
        if (control.image)
          found.push({
            label: `Control image${place ? ` ${place + 1}` : ""} of ${name}, each in turn`,
            field: at(`${studio.controlField(place)}.image`),
          });
      if (row.image_prompt?.image)
        found.push({
          label: `Image prompt of ${name}, each in turn`,
          field: at("image_prompt.image"),
        });
      if (row.image) found.push({ label: `Picture of ${name}, each in turn`, field: at("image") });
    });
    return found;
  };

  const TOLD = 6; // reasons: more than these nobody reads

  /** What is left out of several files, each with its own reason: [[name, error], …]. */
  studio.leftOut = function (lost) {
    const lines = lost.map(([name, error]) =>
      error.startsWith(`${name}: `) ? error : `${name}: ${error}`,
    );
    const more = lines.length - TOLD;
    const rest = more > 0 ? [`and ${more} more`] : [];
    return `Cannot be read and left out: ${[...lines.slice(0, TOLD), ...rest].join(" · ")}`;
  };

  /** How strongly pictures to start from are changed, asked where no start picture says it; null where
   *  nothing is to be made. */
  async function strengthFor(field) {
    if (field !== "init.image" || studio.start?.init) return {};
    const value = 0.75;
    return studio.askNumbers({
      title: "Start from each of them in turn",
      note: "The part of the steps that runs; 1 keeps hardly anything",
      act: "Make them",
      fields: [{ name: "strength", label: "Strength", value, low: 0, high: 1, step: 0.05 }],
    });
  }

  /** Have the form made once for each picture; what cannot be read is told with why, and left out. */
  studio.makeEach = async function (field, files) {
    if (!files.length) return;
    const numbers = await strengthFor(field);
    if (!numbers) return;
    const images = [];
    const lost = [];
    for (const file of files) {
      const answer = await studio.stack.images.store(file);
      if (answer.error) lost.push([file.name, answer.error]);
      else images.push({ image: answer.image, name: file.name, picture: answer.sent });
    }
    if (lost.length) studio.toast(studio.leftOut(lost));
    if (images.length) studio.submitWork({ do: "each", field, images, ...numbers });
  };

  /** Have each of many pictures made larger: those of the history by their ids, or files. */
  studio.largerEach = async function ({ ids = [], files = [] }) {
    const numbers = await studio.askLarger(ids.length + files.length);
    if (!numbers) return;
    const images = [];
    const lost = [];
    for (const file of files)
      try {
        images.push({ name: file.name, picture: await studio.uploadPicture(file) });
      } catch (error) {
        lost.push([file.name, `could not be uploaded (${error.message || error})`]);
      }
    if (lost.length) studio.toast(studio.leftOut(lost));
    const of = files.length ? { images } : { ids };
    if (ids.length || images.length) studio.submitWork({ do: "larger", ...of, ...numbers });
  };

  /** Ask what several pictures are for. */
  studio.askEach = function (files) {
    const pictures = files.filter(studio.isPicture);
    const others = files.length - pictures.length;
    const left = others ? ` ${others} of the files are no pictures and are left out.` : "";
    const note = `What is made of them is one line of the queue: what the form holds once for each, or each made larger with its own preset.${left}`;
    const fields = studio.fieldsForEach(studio.stack.cards.map((card) => card.row));
    const choices = fields.map(({ label, field }) => ({
      label,
      take: () => studio.makeEach(field, pictures),
    }));
    choices.push({
      label: "Make each of them larger …",
      take: () => studio.largerEach({ files: pictures }),
    });
    if (studio.trains())
      choices.push({
        label: "Add them to the training pictures",
        take: () => studio.toTraining(pictures),
      });
    const title = `What are these ${pictures.length} pictures for?`;
    studio.askChoice(title, el("p", { class: "gs-work-note" }, note), choices);
  };
})(window.studio);
