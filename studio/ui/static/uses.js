// What a picture can be used for: to start from, to paint anew in, as a control image, as an image
// prompt, as the preset that it carries. For pictures on the stage, in the strip, dropped or pasted.
(function (studio) {
  "use strict";
  const { el, word, isPicture } = studio;
  const TYPELESS = ["range", "checkbox", "radio", "button"].map((type) => `[type=${type}]`);
  const FIELDS = `textarea, [contenteditable], input:not(${TYPELESS.join(", ")})`; // that take a text

  const openPreset = (file) =>
    studio.handTo(document.querySelector("#gs-top input[type=file]"), [file]);
  studio.openPreset = openPreset;

  /** Open what was copied whole: a preset's JSON or link, or another tool's text of a picture's settings. */
  studio.openText = function (copied) {
    const { name, link, options, text = copied } = studio.broughtBy(copied);
    if (link) {
      studio.linkAnswered(false); // also where it is the page's own, which was opened before
      location.search = `?p=${link}`; // where it is looked at first; the form is kept
      return;
    }
    if (options)
      studio.toast(`The command line's preset is opened, without its options: ${options}`);
    openPreset(new File([text], name));
  };

  /** The picture to start from; its part of the page is unfolded first. */
  async function start() {
    if (!studio.start?.attached()) document.querySelector("#gs-advanced button")?.click();
    await studio.until(() => studio.start?.attached(), 30000);
    return studio.start;
  }

  /** Paint on a picture that the form starts from then, also where nothing was painted. */
  async function startedAnd(file, paint) {
    const into = await start();
    if ((await into.take("image", file)) && !(await paint(into)))
      studio.toast("The picture stays as the one to start from; Undo takes it out.");
  }

  /** Show the row that a picture has gone to. */
  async function seen(card, taking) {
    await taking;
    card.node.scrollIntoView({ block: "nearest" });
  }

  /** Take over the seed of the preset in a picture. */
  async function reuseSeed(file) {
    const answer = await studio.stack.images.seedOf(file);
    if (answer.error) return studio.toast(answer.error);
    studio.setField("seed", answer.seed);
    return studio.toast(`The seed is ${answer.seed} now.`);
  }

  /** A seed that is fixed gives way to a new one each time; −1 to that of the last result. */
  studio.turnSeed = async function () {
    if (Number(studio.heldFields().seed) >= 0) return studio.setField("seed", -1);
    const shown = studio.lastResult();
    if (!shown) return studio.toast("There is no result yet.");
    const answer = await fetch(shown);
    return reuseSeed(new File([await answer.blob()], "result.png", { type: "image/png" }));
  };

  /** Every use that is possible now: {label, take(file)}, `ofPreset` where it reads the
   *  one that the picture carries. */
  studio.pictureUses = function () {
    const cards = studio.stack?.cards || [];
    const row = (card) => {
      const text = card.row.prompt.trim() || card.title(card.parts().model || "");
      return `row ${cards.indexOf(card) + 1}${text ? `: ${text}` : ""}`;
    };
    return [
      {
        label: "Read what is written in it",
        take: (file) => studio.showWritten(file),
      },
      {
        label: "Explain it: what each row did",
        ofPreset: true,
        take: (file) => studio.explain(file),
      },
      { label: "Reuse its seed", ofPreset: true, take: reuseSeed },
      { label: "Say it in words", take: (file) => studio.captionPicture(file, row) },
      ...studio.pictureWorks(),
      { label: "Start from it", take: async (file) => (await start()).take("image", file) },
      {
        label: "Paint parts of it anew",
        take: (file) => startedAnd(file, (into) => into.paint()),
      },
      {
        label: "Paint on it in colours",
        take: (file) => startedAnd(file, (into) => into.sketch()),
      },
      ...cards
        .filter((card) => card.takesControl())
        .flatMap((card) => [
          {
            label: `Control image of ${row(card)}`,
            take: (file) => seen(card, card.control.take(file)),
          },
          ...card.control.further().map(({ number, take }) => ({
            label: `Control image ${number} of ${row(card)}`,
            take: (file) => seen(card, take(file)),
          })),
        ]),
      ...cards
        .filter((card) => card.shown.fits())
        .map((card) => ({
          label: `Image prompt of ${row(card)}`,
          take: (file) => seen(card, card.shown.take(file)),
        })),
      ...cards
        .filter((card) => card.edited.fits())
        .map((card) => ({
          label: `Picture to edit of ${row(card)}`,
          take: (file) => seen(card, card.edited.take(file)),
        })),
      ...cards.map((card) => ({
        label: `Mask of ${row(card)}`,
        take: async (file) => {
          const mask = await card.keep(file, card.node, true);
          if (mask) card.edit({ mask });
          card.node.scrollIntoView({ block: "nearest" });
        },
      })),
      ...(studio.stack?.server.wildcard_keep // else a page that others share
        ? [{ label: "Picture of a model …", take: studio.askModelPicture }]
        : []),
      ...(studio.trains()
        ? [
            {
              label: "Add it to the training pictures",
              take: (file) => studio.toTraining([file]),
            },
          ]
        : []),
    ];
  };

  /** A file of a picture at an address of this page. */
  studio.fileAt = async function (address, name = "picture.png") {
    const answer = await fetch(address);
    const data = await answer.blob();
    return new File([data], name, { type: data.type || "image/png" });
  };

  /** Ask which of these it is to be: {label, take()}, below what is shown; answers the buttons. */
  studio.askChoice = function (title, shown, choices) {
    const buttons = choices.map(({ label, take }) =>
      word(label, () => {
        dialog.close();
        return take();
      }),
    );
    const dialog = el(
      "dialog",
      {
        class: "gs-painter gs-uses",
        "aria-label": title,
        onclose: () => dialog.remove(),
        onclick: (event) => event.target === dialog && dialog.close(),
      },
      el("strong", {}, title),
      shown,
      el("div", { class: "gs-use-list" }, ...buttons),
      el(
        "div",
        { class: "gs-line gs-answers" },
        word("Cancel", () => dialog.close()),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    return buttons;
  };

  /** Ask what to do with a picture; ``more`` are uses that only this one has. Answers the
   *  buttons of those that read its preset. */
  studio.askUse = function (title, source, getFile, more = []) {
    const uses = [...more, ...studio.pictureUses()];
    const choices = uses.map(({ label, take }) => ({
      label,
      take: async () => take(await getFile()),
    }));
    const picture = el("img", { src: source, alt: "" });
    const buttons = studio.askChoice(title, picture, choices);
    return buttons.filter((_, place) => uses[place].ofPreset);
  };

  /** Ask about files that were dropped or pasted: of several, one preset is made for each picture. */
  studio.askFiles = async function (files) {
    await studio.filled;
    const pictures = files.filter(isPicture);
    if (pictures.length > 1) return studio.askEach(files);
    const [first, ...others] = files;
    if (!first) return undefined;
    const lines = await studio.linesIn(first);
    if (lines) studio.askLines(first, lines);
    else studio.askFile(first);
    if (others.length) notTaken(others);
    return undefined;
  };
  function notTaken(files) {
    const names = files.map((file) => file.name).join(", ");
    studio.toast(`One file at a time: ${names} ${files.length > 1 ? "were" : "was"} not taken.`);
  }

  let asked = null; // the file that is asked about, or looked at for it: one that came later
  /** Ask about one of them; a picture that cannot be read is refused before. */
  studio.askFile = async function (file) {
    if (!isPicture(file)) {
      openPreset(file);
      return;
    }
    asked = file;
    const reading = () => studio.toast(`Reading ${file.name || "the picture"} …`);
    const wrong = await studio.stack.images.wrongWith(file, reading);
    if (asked !== file) {
      notTaken([file]);
      return;
    }
    if (wrong) {
      studio.toast(wrong);
      return;
    }
    const source = URL.createObjectURL(file);
    const open = {
      label: "Open the preset it carries",
      ofPreset: true,
      take: () => openPreset(file),
    };
    const title = `What is ${file.name || "the picture"} for?`;
    const buttons = studio.askUse(title, source, () => file, [open]);
    const { error } = await studio.stack.images.seedOf(file);
    if (error) for (const one of buttons) Object.assign(one, { disabled: true, title: error });
  };

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])].filter(isPicture);
    if (files.length) {
      event.preventDefault();
      studio.askFiles(files);
      return;
    }
    const text = event.clipboardData?.getData("text/plain") || "";
    // In a field it is the field's, and a prompt offers to read it; under a dialog nothing changes.
    if (event.target.closest?.(FIELDS) || document.querySelector("dialog[open]")) return;
    if (!studio.broughtBy(text)) return;
    studio.filled.then(() => studio.openText(text));
  });
})(window.studio);
