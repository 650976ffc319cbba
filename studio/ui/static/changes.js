// Changes of the form that come together are told once. A preset changes thirty fields in a moment, and
// whoever hears of one reads them all: the plan, and what is kept of the form.
(function (studio) {
  "use strict";
  const MOMENT = 20; // ms

  /** Tells once of all the changes of a moment.
   *  @param tell called when the moment is over
   *  @param wait as setTimeout
   *  @returns whom to call at every change */
  studio.together = function (tell, wait = setTimeout) {
    let waiting = false;
    return () => {
      if (waiting) return;
      waiting = true;
      wait(() => {
        waiting = false;
        tell();
      }, MOMENT);
    };
  };

  let trigger = null;
  /** A field of the form has changed. A form that is still being filled is no form: it is told of when
   *  it is whole. */
  studio.formChanged = studio.together(() => {
    if (studio.isFilled()) trigger?.("changed");
  });

  studio.mountChanges = function (send) {
    trigger = send;
    studio.formChanged();
  };
  studio.filled?.then(studio.formChanged);
})(window.studio);
