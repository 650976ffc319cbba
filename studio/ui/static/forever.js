// Forever makes the form as it was when pressed: once that has changed, a line says how it is taken.
(function (studio) {
  "use strict";
  const TEXT =
    "Forever goes on with the form as it was; press Forever again and it takes the change";
  const SETTLING = 2000; // ms after a press in which what was typed before it is told

  /** Says so once for each press. Answers {pressed(), runs(goesOn), changed(form)}.
   *  @param now the time in ms */
  studio.foreverTold = function (tell, now = Date.now) {
    let form = null;
    let began = null; // the form at the press, until it is said
    let since = 0;
    let goes = false;
    return {
      pressed() {
        began = form;
        since = now();
      },
      runs(goesOn) {
        goes = goesOn;
      },
      changed(text) {
        form = text;
        if (began === null) return;
        if (now() - since < SETTLING) began = text;
        if (!goes || text === began) return;
        began = null;
        tell(TEXT);
      },
    };
  };

  if (!window.document) return;
  const told = studio.foreverTold((text) => studio.toast(text));
  studio.on("form", told.changed);
  studio.on("forever", told.runs);
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("#gs-forever")) told.pressed();
  });
})(window.studio);
