// The preset's link as a QR code, for a phone's camera.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const HERE = ["localhost", "127.0.0.1", "[::1]"];

  /** What is said of such a link. */
  studio.HERE_ALONE =
    "This page answers to this machine alone: another device needs the page started with --host or --share.";
  /** Where a link leads that holds this machine's own name: nowhere, for any other. */
  studio.leadsHere = (link) => HERE.includes(new URL(link).hostname);

  studio.on("qr", ({ link, image }) => {
    const dialog = el(
      "dialog",
      { class: "gs-painter gs-qr", "aria-label": "QR code", onclose: () => dialog.remove() },
      el("strong", {}, "This preset's link"),
      el("img", { src: image, alt: "QR code of the link" }),
      el(
        "p",
        { class: "gs-work-note" },
        studio.leadsHere(link) ? studio.HERE_ALONE : "Whoever opens it sees this preset.",
      ),
      el(
        "div",
        { class: "gs-line gs-answers" },
        word("Close", () => dialog.close()),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
})(window.studio);
