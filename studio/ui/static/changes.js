// Changes of a form that come together are told once. A preset changes thirty fields in a moment, and
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

  const triggers = {}; // who tells the page, by form
  const early = new Set(); // forms that changed before there was one
  const tell = (form) => {
    if (triggers[form]) triggers[form]("changed");
    else early.add(form);
  };
  const changed = {
    // One that is still being filled is no form: it is told of when it is whole.
    preset: studio.together(() => studio.isFilled() && tell("preset")),
    training: studio.together(() => tell("training")),
    merge: studio.together(() => tell("merge")),
    looks: studio.together(() => tell("looks")), // of one who comes to look at the training
  };
  /** A field of a form has changed.
   *  @param form preset, training, merge or looks */
  studio.formChanged = (form) => changed[form]();

  /** What a component holds, telling of its changes, by its own script and from outside.
   *  @param props, watch as Gradio gives them to its script */
  studio.telling = function (form, props, watch) {
    watch("value", changed[form]);
    return new Proxy(props, {
      set(held, name, value) {
        held[name] = value;
        if (name === "value") changed[form]();
        return true;
      },
    });
  };

  studio.mountChanges = function (send, form) {
    triggers[form] = send;
    if (early.delete(form)) changed[form]();
  };
  studio.filled?.then(changed.preset);
})(window.studio);
