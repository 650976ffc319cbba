// A canvas near by: the wheel and keys enlarge what is painted, and make the brush broader or finer.
(function (studio) {
  "use strict";
  const BROADER = 1.15; // by one turn of the wheel, or one press

  /** A brush's size after a step, within its bounds; it changes by 1 at least. */
  studio.brushAfter = function (size, finer, { min, max }) {
    const next = Math.round(finer ? size / BROADER : size * BROADER);
    const step = next === size ? size + (finer ? -1 : 1) : next;
    return Math.min(Number(max), Math.max(Number(min), step));
  };

  /** Let a painter's canvas be zoomed, as every picture is, and its brush be changed over it: the wheel
   *  with Shift, [ and ]. The middle button moves what is shown. */
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
