// Pictures from elsewhere on the page become training pictures.
(function (studio) {
  "use strict";

  /** Whether this page trains; a shared one may not. */
  studio.trains = () => studio.isLaidOut("gs-train-files");

  const BUSY = 1200; // looks, in a minute: while that field uploads it is not there
  const STANDS = 6; // looks: Gradio's signs of the last upload go a moment after it

  /** The training's field of files, once it stands; null where it does not come. */
  async function trainingField() {
    let input = null;
    for (let tries = 0, stands = 0; tries < BUSY && stands < STANDS; tries += 1) {
      if (tries) await new Promise((resolve) => setTimeout(resolve, 50));
      const before = input;
      input = document.querySelector("#gs-train-files input[type=file]");
      stands = input && input === before ? stands + 1 : 0;
    }
    return input;
  }

  let turn = Promise.resolve();
  /** Hand pictures to the training's field of files, after those that were handed over before. */
  studio.toTraining = function (files) {
    studio.showTab("train");
    turn = turn.then(() => handOver(files)).catch((error) => studio.toast(String(error)));
    return turn;
  };
  async function handOver(files) {
    const input = await trainingField();
    if (!input) return studio.toast("The Train tab takes no pictures now.");
    const before = shown();
    if (!studio.handTo(input, files).length) return undefined;
    await trainingField(); // it is uploaded, and the studio looks at it
    for (let tries = 0; tries < ARRIVING && shown().size <= before.size; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    for (const line of studio.addedToTraining(files, before, shown())) studio.toast(line);
  }

  const ARRIVING = 100; // looks, in five seconds
  /** The small picture of each, by its name. */
  function shown() {
    const { pictures = [], thumbs = {} } = studio.pictures ?? {};
    return new Map(pictures.map(({ name }) => [name, thumbs[name]]));
  }

  /** What came of these files, a line each, by the pictures before and after: {name: small picture}.
   *  Of one that was not taken, or that took the place of its namesake, the studio speaks itself. */
  studio.addedToTraining = function (files, before, after) {
    const more = after.size - before.size;
    const there = files
      .map(({ name }) => name)
      .filter((name) => before.has(name) && before.get(name) === after.get(name));
    const lines = [];
    if (more === 1) lines.push("Added to the training pictures.");
    if (more > 1) lines.push(`${more} added to the training pictures.`);
    if (there.length === 1) lines.push(`${there[0]} is among the training pictures already.`);
    if (there.length > 1) lines.push(`${there.length} are among the training pictures already.`);
    return lines;
  };
})(window.studio);
