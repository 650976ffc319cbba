// A picture as large as the window; the arrow keys go to those beside it.
(function (studio) {
  "use strict";
  const { el, button, address } = studio;

  /** Pictures one may go to from this one: those beside it on the stage, else the strip's. */
  studio.picturesBeside = function (image, shown, strip) {
    const found = shown.length > 1 ? shown : strip.map((item) => item.image);
    const same = (one) => one === image || (image.id && one.id === image.id);
    const at = found.findIndex(same);
    return at < 0 ? { pictures: [image], at: 0 } : { pictures: found, at };
  };

  /** Show one of these; what is pressed beside the buttons closes it. */
  studio.lightbox = function (pictures, at = 0) {
    const shown = el("img", {});
    const said = el("span", {});
    const marks = el("span", {});
    const before = button("up", "The one before", () => go(-1));
    const after = button("down", "The one after", () => go(1));
    before.hidden = after.hidden = pictures.length < 2;
    const go = (by) => pictures[at + by] && show(at + by);
    function show(place) {
      at = place;
      const { id, caption } = pictures[at];
      shown.src = address(pictures[at]);
      shown.alt = caption || "Result";
      said.textContent = caption || "";
      marks.replaceChildren(studio.marksNode(id));
      before.setAttribute("aria-disabled", String(at === 0));
      after.setAttribute("aria-disabled", String(at === pictures.length - 1));
      // The keyboard may have been on what is gone now.
      if (dialog.open && !dialog.contains(document.activeElement)) dialog.focus();
    }
    const dialog = el(
      "dialog",
      {
        class: "gs-lightbox",
        "aria-label": "Enlarged image",
        tabindex: "-1",
        autofocus: true,
        onclick: () => dialog.close(),
        onclose: () => dialog.remove(),
        onkeydown: (event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1 }[studio.along(event.key)];
          if (by) go(by);
          else if (!studio.markByKey(event, pictures[at].id)) return;
          event.preventDefault();
        },
      },
      shown,
      el(
        "div",
        { class: "gs-lightbox-line", onclick: (event) => event.stopPropagation() },
        before,
        said,
        marks,
        after,
      ),
    );
    document.body.append(dialog);
    show(at);
    dialog.showModal();
  };

  // Pictures that the server draws elsewhere on the page.
  document.addEventListener("click", ({ target }) => {
    const picture = target.closest?.("[data-enlarge]")?.querySelector("img");
    if (picture) studio.lightbox([{ src: picture.src, caption: picture.alt }]);
  });
})(window.studio);
