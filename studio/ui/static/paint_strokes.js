// Whose stroke it is that is painted, and the strokes as steps that are taken back and done again. No
// DOM in here but the events of a given node.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /** The strokes of one pointer on a node; a second finger, which would draw lines from where the first
   *  one is, is left out. `rest` ends a stroke early: what the pointer does until it is lifted is none;
   *  `whose` answers the pointer that paints, null for none; `end` is called as it is lifted. */
  studio.strokesOn = function (node, { begin, move, end: ended = () => {} }) {
    let pointer = null;
    const rest = () => (pointer = null);
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      if (event.button === 1) return; // it moves what is shown
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
        if (pointer !== event.pointerId) return;
        rest();
        ended();
      });
    return { rest, whose: () => pointer };
  };

  /** Steps of painting, of which the last `most` are known: `look` says what a canvas holds, and `lay`
   *  puts that onto it again. */
  studio.paintSteps = function (most, look, lay) {
    const past = []; // the canvas before each step: {canvas, data}
    const future = []; // after each that was taken back
    let cut = []; // what could be done again before the last step, until that is settled
    const lain = new Map(); // how many steps lie on each canvas, those that are forgotten too
    const count = (canvas, by) => lain.set(canvas, (lain.get(canvas) || 0) + by);
    function go(from, to, by) {
      cut = [];
      if (!from.length) return;
      const { canvas, data } = from.pop();
      to.push({ canvas, data: look(canvas) });
      lay(canvas, data);
      count(canvas, by);
    }
    return {
      /** Keep a canvas as it is before the next step on it. */
      remember(canvas) {
        past.push({ canvas, data: look(canvas) });
        cut = future.splice(0);
        past.splice(0, past.length - most);
        count(canvas, 1);
      },
      /** The last step is none that is withdrawn: what it cut off is let go, which is large. */
      settle() {
        cut = [];
      },
      /** Let the last step be none, as if it had not been begun. */
      withdraw() {
        const before = cut;
        go(past, [], -1);
        future.splice(0, future.length, ...before);
      },
      undo: () => go(past, future, -1),
      redo: () => go(future, past, 1),
      /** How many there are to go either way. */
      ways: () => ({ undo: past.length, redo: future.length }),
      /** Whether a canvas holds what was painted here; without one, whether any does. */
      painted: (canvas) =>
        canvas ? lain.get(canvas) > 0 : [...lain.values()].some((steps) => steps > 0),
    };
  };
})(window.studio);
