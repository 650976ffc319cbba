// What a picture can be used for: to start from, to paint anew in, as a control image, as an image
// prompt, as the preset that it carries. For pictures on the stage, in the strip, dropped or pasted.
(function (studio) {
  "use strict";
  const { el } = studio;

  const openPreset = (file) => {
    const input = document.querySelector("#gs-top input[type=file]");
    const one = new DataTransfer();
    one.items.add(file);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  studio.openPreset = openPreset;

  /** The picture to start from; its part of the page is unfolded first. */
  async function start() {
    if (!studio.start?.attached()) document.querySelector("#gs-advanced button")?.click();
    for (let tries = 0; tries < 60 && !studio.start?.attached(); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    return studio.start;
  }

  /** Every use that is possible now: {label, take(file)}. */
  studio.pictureUses = function () {
    const cards = studio.stack?.cards || [];
    const row = (card) => `row ${cards.indexOf(card) + 1}`;
    return [
      { label: "Start from it", take: async (file) => (await start()).take("image", file) },
      {
        label: "Paint parts of it anew",
        async take(file) {
          const into = await start();
          await into.take("image", file);
          await into.paint();
        },
      },
      ...cards
        .filter((card) => card.takesControl())
        .slice(0, 6)
        .map((card) => ({
          label: `Control image of ${row(card)}`,
          take: (file) => card.control.take(file),
        })),
      ...cards
        .filter((card) => card.shown.fits())
        .slice(0, 6)
        .map((card) => ({
          label: `Image prompt of ${row(card)}`,
          take: (file) => card.shown.take(file),
        })),
    ];
  };

  /** A file of a picture at an address of this page. */
  studio.fileAt = async function (address, name = "picture.png") {
    const answer = await fetch(address);
    const data = await answer.blob();
    return new File([data], name, { type: data.type || "image/png" });
  };

  /** Ask what to do with a picture; ``more`` are uses that only this one has. */
  studio.askUse = function (title, source, getFile, more = []) {
    const uses = [...more, ...studio.pictureUses()];
    const dialog = el(
      "dialog",
      {
        class: "gs-painter gs-uses",
        "aria-label": title,
        onclose: () => dialog.remove(),
        onclick: (event) => event.target === dialog && dialog.close(),
      },
      el("strong", {}, title),
      el("img", { src: source, alt: "" }),
      el(
        "div",
        { class: "gs-use-list" },
        ...uses.map(({ label, take }) =>
          el(
            "button",
            {
              type: "button",
              class: "gs-word",
              onclick: async () => {
                dialog.close();
                await take(await getFile());
              },
            },
            label,
          ),
        ),
      ),
      el(
        "div",
        { class: "gs-line gs-answers" },
        el("button", { type: "button", class: "gs-word", onclick: () => dialog.close() }, "Cancel"),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  };

  /** Ask about a file that was dropped or pasted. */
  studio.askFile = function (file) {
    if (!file.type.startsWith("image/")) {
      openPreset(file);
      return;
    }
    const source = URL.createObjectURL(file);
    const preset = { label: "Open the preset it carries", take: () => openPreset(file) };
    studio.askUse(`What is ${file.name || "the picture"} for?`, source, () => file, [preset]);
  };

  const carries = (event, type) => event.dataTransfer?.types.includes(type);

  /** Let a node take dropped files, and pictures dragged from the strip or the stage. */
  studio.takesPictures = function (node, open, take) {
    const fits = (event) =>
      open() && (carries(event, "Files") || carries(event, "text/x-studio-picture"));
    node.addEventListener("dragover", (event) => {
      if (!fits(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    node.addEventListener("drop", async (event) => {
      if (!fits(event)) return;
      event.preventDefault();
      event.stopPropagation();
      const address = event.dataTransfer.getData("text/x-studio-picture");
      take(address ? await studio.fileAt(address) : event.dataTransfer.files[0]);
    });
  };

  /** Let a picture of this page be dragged onto a row. */
  studio.givesPicture = function (node, address) {
    node.draggable = true;
    node.addEventListener("dragstart", (event) => {
      event.dataTransfer.effectAllowed = "copy";
      event.dataTransfer.setData("text/x-studio-picture", address);
    });
  };

  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files || [])].find((one) =>
      one.type.startsWith("image/"),
    );
    if (!file) return;
    event.preventDefault();
    studio.askFile(file);
  });
})(window.studio);
