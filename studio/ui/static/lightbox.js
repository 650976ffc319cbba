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

  const SHOWN = "It is shown as large as it is, or larger, already.";

  /** Show one of these, which a wheel, keys and a hand zoom; a press beside the buttons closes it. */
  studio.lightbox = function (pictures, at = 0) {
    const shown = el("img", { draggable: "false", onload: () => offer() });
    const frame = el("div", { class: "gs-lightbox-frame" }, shown);
    const said = el("span", {});
    const marks = el("span", {});
    const before = button("up", "The one before", () => go(-1));
    const after = button("down", "The one after", () => go(1));
    const own = studio.word("1:1", () => toggle(), { "aria-label": "As large as its own pixels" });
    const enlarged = () => {
      const sides = [shown.naturalWidth || 1, shown.naturalHeight || 1];
      return studio.ownPixels(sides, [frame.clientWidth, frame.clientHeight], devicePixelRatio);
    };
    const offer = () => studio.stops(own, enlarged() > 1 ? "" : SHOWN);
    const whole = { scale: 1, x: 0, y: 0 };
    const toOwn = () => zoom.set(studio.zoomAt(whole, enlarged(), 0.5, 0.5));
    const toggle = () => (zoom.view().scale > 1 ? zoom.set(whole) : toOwn());
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
        "aria-label": "Enlarged image: + and - zoom, 1 shows its own pixels, 0 the whole",
        tabindex: "-1",
        autofocus: true,
        onclick: ({ target }) => zoom.dragged() || target.closest(".toast-wrap") || dialog.close(),
        onclose: () => dialog.remove(),
        onkeydown: (event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1 }[studio.along(event.key)];
          const near = zoom.view().scale > 1; // then arrows move it
          const held = event.ctrlKey || event.metaKey || event.altKey; // such a 1 is the browser's
          if (event.key === "1" && held) return;
          if (event.key === "1") toOwn();
          else if ((near || !event.key.startsWith("Arrow")) && zoom.key(event)) return;
          else if (by) go(by);
          else if (!studio.markByKey(event, pictures[at].id)) return;
          event.preventDefault();
        },
      },
      frame,
      el(
        "div",
        { class: "gs-lightbox-line", onclick: (event) => event.stopPropagation() },
        before,
        said,
        marks,
        own,
        after,
      ),
    );
    const zoom = studio.zooming(dialog, { frames: ".gs-lightbox-frame", pictures: () => [shown] });
    document.body.append(dialog);
    show(at);
    dialog.showModal();
    offer();
  };

  /** A picture in a button that enlarges it. */
  studio.enlarges = (picture) =>
    el(
      "button",
      { type: "button", class: "gs-picture", "data-enlarge": "true", "aria-label": "Enlarge" },
      picture,
    );

  // Those, and pictures that the server draws elsewhere on the page.
  document.addEventListener("click", ({ target }) => {
    const picture = target.closest?.("[data-enlarge]")?.querySelector("img");
    if (picture) studio.lightbox([{ src: picture.src, caption: picture.alt }]);
  });
})(window.studio);
