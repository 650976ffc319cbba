// Where one is on a tour: steps, then its end. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /**
   * A walk along `count` steps and the end after them.
   * @param arrived called with the step from 0, `count` being the end
   * @param left called when the walk is over
   */
  studio.tourWalk = function (count, arrived, left) {
    let at = null;
    const go = (to) => {
      at = to;
      arrived(at);
    };
    return {
      at: () => at,
      begin: () => go(0),
      next() {
        if (at === null) return;
        if (at < count) go(at + 1);
        else this.end();
      },
      back() {
        if (at) go(at - 1);
      },
      end() {
        if (at === null) return;
        at = null;
        left();
      },
    };
  };
})(window.studio);
