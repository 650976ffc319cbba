// Pictures that a wheel, keys and hands zoom inside their frames, several of them together.
(function (studio) {
  "use strict";
  const WHOLE = { scale: 1, x: 0, y: 0 };
  const STEP = 0.1; // of the picture's sides, by an arrow key
  const SIDES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const STILL = 0.01; // of a frame: a hand that goes no farther presses

  /** A place at which a picture so much enlarged still fills its frame. */
  const within = (scale, place) => Math.min(0, Math.max(1 - scale, place));

  /** Zoom and place after the wheel turned at a point of the picture (0 to 1 across and down). */
  studio.zoomAt = function (view, factor, x, y) {
    const scale = Math.min(16, Math.max(1, view.scale * factor));
    const keep = (offset, point) => {
      const moved = point - ((point - offset) * scale) / view.scale;
      return within(scale, moved);
    };
    return { scale, x: keep(view.x, x), y: keep(view.y, y) };
  };

  /** Zoom and place after a key; null for one that does nothing here. */
  studio.zoomBy = function (view, key) {
    if (key === "+" || key === "=") return studio.zoomAt(view, 1.2, 0.5, 0.5);
    if (key === "-") return studio.zoomAt(view, 1 / 1.2, 0.5, 0.5);
    if (key === "0") return { ...WHOLE };
    if (!SIDES[key]) return null;
    const [x, y] = SIDES[key].map((side) => side * STEP);
    const { scale } = view;
    return { scale, x: within(scale, view.x + x), y: within(scale, view.y + y) };
  };

  /** Zoom and place after two fingers, or one twice, went from two points of a frame to two others. */
  studio.pinched = function (view, before, now) {
    const apart = ([one, two]) => Math.hypot(one.x - two.x, one.y - two.y);
    const middle = ([one, two], side) => (one[side] + two[side]) / 2;
    const factor = apart(before) ? apart(now) / apart(before) : 1;
    const next = studio.zoomAt(view, factor, middle(before, "x"), middle(before, "y"));
    for (const side of ["x", "y"])
      next[side] = within(next.scale, next[side] + middle(now, side) - middle(before, side));
    return next;
  };

  /** Where on a node an event is, 0 to 1 across and down. */
  studio.placeOn = function (node, event) {
    const box = node.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
    };
  };

  /** How much a picture that fits into a frame is to be enlarged, so that each of its pixels is one of
   *  the screen's. Sides as [width, height]; `density`: pixels of the screen to one of the page. */
  studio.ownPixels = function (picture, frame, density = 1) {
    const fits = Math.min(...[0, 1].map((side) => frame[side] / picture[side]));
    return 1 / (fits * density);
  };

  /**
   * Let what stands in the frames of a stage be zoomed.
   * @param stage hears the wheel and the hands
   * @param frames a selector
   * @param pictures answers what moves in the frames
   * @param button of the mouse that moves them
   * @param changed is called with the view after every change
   * @returns view(); set(view); key(event), whether it did something; dragged(), whether the last press
   *   moved the pictures
   */
  studio.zooming = function (stage, { frames, pictures, button = 0, changed }) {
    let view = WHOLE;
    let dragged = false;
    function set(next) {
      view = next;
      stage.toggleAttribute("data-zoomed", view.scale > 1); // else a finger scrolls
      for (const picture of pictures())
        picture.style.transform = `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.scale})`;
      changed?.(view);
    }
    const on = studio.placeOn;
    stage.addEventListener(
      "wheel",
      (event) => {
        const found = event.target.closest(frames);
        if (!found || event.defaultPrevented) return; // the wheel meant something else
        event.preventDefault();
        const { x, y } = on(found, event);
        set(studio.zoomAt(view, event.deltaY < 0 ? 1.2 : 1 / 1.2, x, y));
      },
      { passive: false },
    );
    // A hand that holds a picture moves all; two fingers on it zoom.
    const hands = new Map(); // pointer → where on the picture it is
    let frame = null;
    let from = null;
    stage.addEventListener("pointerdown", (event) => {
      if (!hands.size) dragged = false;
      const found = event.target.closest(frames);
      const other = event.button !== button || (hands.size && found !== frame);
      if (!found || other || hands.size > 1) return;
      frame = found;
      hands.set(event.pointerId, on(frame, event));
      from ??= hands.get(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (!hands.has(event.pointerId)) return;
      const before = [...hands.values()];
      hands.set(event.pointerId, on(frame, event));
      const now = [...hands.values()];
      dragged ||= hands.size > 1 || Math.hypot(now[0].x - from.x, now[0].y - from.y) > STILL;
      set(studio.pinched(view, [before[0], before.at(-1)], [now[0], now.at(-1)]));
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"])
      stage.addEventListener(end, (event) => {
        hands.delete(event.pointerId);
        if (!hands.size) from = null;
      });
    return {
      view: () => view,
      set,
      key(event) {
        const next = event.ctrlKey || event.metaKey ? null : studio.zoomBy(view, event.key);
        if (!next) return false;
        event.preventDefault();
        set(next);
        return true;
      },
      dragged: () => dragged,
    };
  };
})(window.studio);
