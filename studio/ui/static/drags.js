// Pictures that are dragged: from the strip, the stage or the History, and files, onto what takes them.
(function (studio) {
  "use strict";
  const { isPicture } = studio;

  const OWN = "text/x-studio-picture"; // a picture of this page, by its address
  const ASKED = "asked"; // in the place of an address that is still asked for
  const GONE = "The picture's file is not there.";
  const carries = (event, type) => event.dataTransfer?.types.includes(type);

  let coming = null; // the address of the picture that is dragged, where it has to be asked for

  /** The address of a picture of this page that is dropped, or a promise of it; "" for none. */
  function dropped(event) {
    const address = event.dataTransfer?.getData(OWN);
    return address === ASKED ? (coming ?? "") : address;
  }

  /** Ask about a picture of this page that was dropped where no row takes it. */
  studio.askDropped = function (event) {
    const given = dropped(event);
    if (!given) return false;
    const preset = { label: "Load its preset", take: studio.openPreset };
    Promise.resolve(given).then((address) => {
      if (!address) return studio.toast(GONE);
      const get = () => studio.fileAt(address);
      return studio.askUse("What is this picture for?", address, get, [preset]);
    });
    return true;
  };
  studio.carriesPicture = (event) => carries(event, OWN);

  /** Let a node take dropped files, and pictures dragged from the strip, the stage or the History.
   *  @param take(file, own): whether it is a picture of this page */
  studio.takesPictures = function (node, open, take) {
    const fits = (event) => open() && (carries(event, "Files") || carries(event, OWN));
    node.addEventListener("dragover", (event) => {
      if (!fits(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    node.addEventListener("drop", async (event) => {
      if (!fits(event)) return;
      const own = dropped(event);
      const files = [...event.dataTransfer.files];
      if (!own && !(files.length === 1 && isPicture(files[0]))) return; // the page's affair
      event.preventDefault();
      event.stopPropagation();
      if (!own) return take(files[0], false);
      const address = await own;
      return address ? take(await studio.fileAt(address), true) : studio.toast(GONE);
    });
  };

  /** Let a picture of this page be dragged onto a row. ``address``: its own, or a function that asks
   *  for it when the drag begins and answers a promise, of "" where its file is not there. */
  studio.givesPicture = function (node, address) {
    node.draggable = true;
    node.addEventListener("dragstart", (event) => {
      const asks = typeof address === "function";
      coming = asks ? address() : null;
      event.dataTransfer.effectAllowed = "copy";
      event.dataTransfer.setData(OWN, asks ? ASKED : address);
    });
  };
})(window.studio);
