// A picture in words: its caption, and the prompt that it becomes; the settings that are written in it.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** Put a text into the clipboard, or say where that is closed. */
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      studio.toast("It is on the clipboard.");
    } catch {
      studio.toast(text);
    }
  }

  /** Ask where the words go: into a row's prompt, into a row of their own, or to the clipboard. */
  function ask(text, row) {
    const cards = studio.stack.cards;
    studio.askChoice("The picture in words", el("p", { translate: "no" }, text), [
      ...cards.map((card) => ({
        label: `Prompt of ${row(card)}`,
        take: () => {
          card.edit({ prompt: text });
          card.node.scrollIntoView({ block: "nearest" });
        },
      })),
      { label: "A row of its own", take: () => studio.stack.add({ prompt: text }) },
      { label: "Copy", take: () => copy(text) },
    ]);
  }

  /** Say what a picture shows; `row` names a row's card. */
  studio.captionPicture = async function (file, row) {
    studio.toast("Looking at the picture …");
    const { images } = studio.stack;
    let answer = await images.captionOf(file);
    if (answer.fetches) {
      studio.toast(
        `The network that says pictures in words is fetched first (${answer.fetches}) …`,
      );
      answer = await images.captionOf(file, true);
    }
    if (answer.error) return studio.toast(answer.error);
    return ask(answer.text, row);
  };

  /** Show the settings that are written in a picture, before or instead of taking them over. */
  studio.showWritten = async function (file) {
    const answer = await studio.stack.images.settingsIn(file);
    if (answer.error) return studio.toast(answer.error);
    const text = el(
      "pre",
      { class: "gs-written", translate: "no", tabindex: 0, dir: "auto" },
      answer.text,
    );
    return studio.askChoice("What is written in it", text, [
      { label: "Copy", take: () => copy(answer.text) },
      { label: "Open the preset it carries", take: () => studio.openPreset(file) },
    ]);
  };
})(window.studio);
