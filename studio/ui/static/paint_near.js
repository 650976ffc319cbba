// A canvas near by: the wheel and keys enlarge what is painted, and make the brush broader or finer.
(function (studio) {
  "use strict";
  const TOGETHER = 400; // ms between two fingers that come down to zoom
  const BROADER = 1.15; // by one turn of the wheel, or one press

  /** A brush's size after a step, within its bounds; it changes by 1 at least. */
  studio.brushAfter = function (size, finer, { min, max }) {
    const next = Math.round(finer ? size / BROADER : size * BROADER);
    const step = next === size ? size + (finer ? -1 : 1) : next;
    return Math.min(Number(max), Math.max(Number(min), step));
  };

  /**
   * Two fingers on a node that come down together: what they do is no stroke, from then on until both
   * are lifted. A second one that comes later, while the first paints, is none of them, and neither is
   * the hand of a pen that paints.
   * @param place answers where on the node an event is
   * @param painting answers the pointer that paints, null for none
   * @param began is called as the second one comes, with whether the first paints, moved(before, now)
   *   with the places of both
   */
  studio.twoFingers = function (node, { place, painting, began, moved }) {
    const fingers = new Map(); // pointer → where it is
    let since = 0; // when the first one came
    let two = false;
    const ends = ["pointerup", "pointercancel"];
    function heard(event) {
      if (event.pointerType !== "touch") return;
      const before = [...fingers.values()];
      if (ends.includes(event.type)) fingers.delete(event.pointerId);
      else if (event.type === "pointerdown" || fingers.has(event.pointerId))
        fingers.set(event.pointerId, place(event));
      const now = [...fingers.values()];
      if (event.type === "pointerdown" && now.length === 1) since = event.timeStamp;
      if (two) event.stopImmediatePropagation();
      if (two && event.type === "pointermove" && now.length > 1) moved(before, now);
      if (!now.length) two = false;
      const joins = event.type === "pointerdown" && event.timeStamp - since < TOGETHER;
      if (two || now.length !== 2 || !joins) return;
      const paints = painting();
      if (paints !== null && !fingers.has(paints)) return;
      two = true;
      event.stopImmediatePropagation();
      began(paints !== null);
    }
    for (const kind of ["pointerdown", "pointermove", ...ends])
      node.addEventListener(kind, heard, { capture: true });
  };

  /** Let a painter's canvas be zoomed, as every picture is, and its brush be changed over it: the wheel
   *  with Shift, [ and ]. The middle button moves what is shown, and so do two fingers. */
  studio.paintNear = function (painter) {
    const { frame, size } = painter;
    const layers = () => [...frame.children].filter((one) => one.matches("img, canvas"));
    function brush(finer) {
      size.value = studio.brushAfter(Number(size.value), finer, size);
      size.dispatchEvent(new Event("input", { bubbles: true }));
    }
    // Before the zoom hears of it.
    frame.addEventListener(
      "wheel",
      (event) => {
        if (!event.shiftKey) return;
        event.preventDefault();
        brush((event.deltaY || event.deltaX) > 0); // some browsers turn it sideways
      },
      { passive: false },
    );
    const zoom = studio.zooming(frame, {
      ...{ frames: ".gs-canvas", pictures: layers, button: 1 },
      changed: () => painter.keys.show(),
    });
    studio.twoFingers(frame, {
      place: (event) => studio.placeOn(frame, event),
      painting: () => painter.pointer.whose(),
      began: (painted) => painted && painter.withdraw(),
      moved: (before, now) => zoom.set(studio.pinched(zoom.view(), before, now)),
    });
    painter.dialog.addEventListener("keydown", (event) => {
      if (event.target.matches("input") || event.ctrlKey || event.metaKey) return;
      if (event.key === "[" || event.key === "]") brush(event.key === "[");
      else if (!event.key.startsWith("Arrow")) zoom.key(event); // they move the brush
    });
    frame.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") painter.keys.over(painter.place(event));
    });
    return zoom;
  };
})(window.studio);
