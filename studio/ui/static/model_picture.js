// A result as the picture of a model: asked which, given by the server, taken back with Undo.
(function (studio) {
  "use strict";
  const { el } = studio;
  const META = { _type: "gradio.FileData" };
  let hands = null; // {trigger, upload}
  let asking = ""; // the address of the picture that is asked about

  studio.mountModelPictures = function (trigger, upload) {
    hands = { trigger, upload };
  };

  /** Ask the server which models made a picture. */
  studio.askModelPicture = async function (file) {
    try {
      const { path } = await hands.upload(file);
      URL.revokeObjectURL(asking);
      asking = URL.createObjectURL(file);
      hands.trigger("depict", { picture: { path, meta: META } });
    } catch (error) {
      studio.toast(`The picture could not be uploaded (${error.message || error})`);
    }
  };

  /** The choices of which model gets it: {label, take()}. */
  studio.modelPictureChoices = (choices, picture, send) =>
    choices.map(({ id, title, has }) => ({
      label: has ? `${title}, in place of the one that it has` : title,
      take: () => send("depict", { id, picture }),
    }));

  studio.on("previews", ({ choices, picture, given }) => {
    if (choices)
      studio.askChoice(
        "Whose picture is it to be?",
        el("img", { src: asking, alt: "" }),
        studio.modelPictureChoices(choices, picture, hands.trigger),
      );
    if (given)
      studio.undoable(`It is the picture of ${given.title} now.`, () =>
        hands.trigger("depict", { id: given.id, back: true }),
      );
  });
})(window.studio);
