// A result as the picture of a model: asked which, given by the server, taken back with Undo.
(function (studio) {
  "use strict";
  const { el } = studio;
  let send = null; // to the server
  let asking = ""; // the address of the picture that is asked about

  studio.mountModelPictures = function (trigger) {
    send = trigger;
  };

  /** Ask the server which models made a picture. */
  studio.askModelPicture = async function (file) {
    try {
      const picture = await studio.uploadPicture(file);
      URL.revokeObjectURL(asking);
      asking = URL.createObjectURL(file);
      send("depict", { picture });
    } catch (error) {
      studio.toast(`The picture could not be uploaded (${error.message || error})`);
    }
  };

  /** The choices of which model gets it, and of those that were given one, to have none of these:
   *  {label, take()}. */
  studio.modelPictureChoices = (choices, picture, send) => [
    ...choices.map(({ id, title, has }) => ({
      label: has ? `${title}, in place of the one that it has` : title,
      take: () => send("depict", { id, picture }),
    })),
    ...choices
      .filter(({ own }) => own)
      .map(({ id, title }) => ({
        label: `${title}: without the picture that was given to it`,
        take: () => send("depict", { id, bare: true }),
      })),
  ];

  studio.on("previews", ({ choices, picture, given, taken, late }) => {
    if (choices)
      studio.askChoice(
        "Whose picture is it to be?",
        el("img", { src: asking, alt: "" }),
        studio.modelPictureChoices(choices, picture, send),
      );
    const offer = (text, { id, mark }) =>
      studio.undoable(text, () => send("depict", { id, back: mark }));
    if (given) offer(`It is the picture of ${given.title} now.`, given);
    if (taken) offer(`${taken.title} is without the picture that was given to it.`, taken);
    if (late) studio.toast("The model has another picture by now, which stays.");
  });
})(window.studio);
