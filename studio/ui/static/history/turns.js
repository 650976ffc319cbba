// One question at a time: Gradio draws the last of two values that come close together, so that of
// two answers at once the first would be lost.
(function (studio) {
  "use strict";

  /**
   * Questions that wait for their turn.
   * @param send sends one; its `turn` comes back with the answer
   * @param patience milliseconds after which the next is asked although nothing was answered
   * @param later runs a function after so many milliseconds; answers a function that stops it
   */
  studio.inTurn = function (send, patience, later = studio.later) {
    const waiting = [];
    let turn = 0;
    let open = null; // the turn that is not answered yet
    let current = null; // what was asked in it
    let stop = () => {};

    function next() {
      stop();
      open = current = null;
      const asked = waiting.shift();
      if (!asked) return;
      current = asked;
      open = turn += 1;
      stop = later(next, patience);
      send({ ...asked, turn: open });
    }

    return {
      /** Ask; a question of the same `about` that still waits gives way to the newer one. */
      ask(request, about) {
        const same = about ? waiting.findIndex((one) => one.about === about) : -1;
        if (same >= 0) waiting.splice(same, 1);
        waiting.push({ ...request, about });
        if (open === null) next();
      },
      /** An answer has come: whether it is that of the question that is open. */
      answered(which) {
        if (which !== open) return false;
        next();
        return true;
      },
      /** What was asked and is not answered yet, in its order. */
      unanswered: () => [current, ...waiting].filter(Boolean),
    };
  };

  studio.later = function (act, milliseconds) {
    const timer = setTimeout(act, milliseconds);
    return () => clearTimeout(timer);
  };
})(window.studio);
