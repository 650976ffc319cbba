// A page is filled a moment after it is drawn. Until then nothing on it can be pressed or typed in,
// and what is dropped, pasted or asked for by a key waits: so nothing that was kept ever comes over
// something that was brought since.
(function (studio) {
  "use strict";
  const LONG = 20000; // ms; a server that is silent for longer may stay so
  let resolve;
  let done = false;

  /** Once the form holds what it begins with. */
  studio.filled = new Promise((resolved) => (resolve = resolved));
  studio.isFilled = () => done;

  function open() {
    done = true;
    document.body.inert = false;
    resolve();
  }

  /** The form holds what it begins with: these values by name, the first that are kept. */
  studio.pageFilled = function (names, values) {
    open();
    studio.autosave(names, values);
  };

  studio.on("opening", () =>
    setTimeout(() => {
      if (done) return;
      open();
      studio.toast("The server is slow: the form that was kept may still come over this one.");
    }, LONG),
  );

  function begin() {
    document.body.inert = !done;
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})(window.studio);
