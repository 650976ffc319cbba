// Whose stroke it is that is painted. No DOM in here but the events of a given node.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /** The strokes of one pointer on a node; a second finger, which would draw lines from where the first
   *  one is, is left out. `rest` ends a stroke early: what the pointer does until it is lifted is none. */
  studio.strokesOn = function (node, { begin, move }) {
    let pointer = null;
    const rest = () => (pointer = null);
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      if (pointer !== null && pointer !== event.pointerId) return;
      node.setPointerCapture?.(event.pointerId);
      begin(event);
      pointer = event.pointerId; // not before: what begins ends the last one
    });
    node.addEventListener("pointermove", (event) => {
      if (pointer === event.pointerId) move(event);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      node.addEventListener(end, (event) => {
        if (pointer === event.pointerId) rest();
      });
    return { rest };
  };
})(window.studio);
