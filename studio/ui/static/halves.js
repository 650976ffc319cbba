// Half of a letter, as a text has it that another program cut: it can be written and sent nowhere.
(function (studio) {
  "use strict";
  const SETTLING = 500; // ms in which its other half may come, as some keyboards send both apart

  const whole = (text) => typeof text !== "string" || !text.isWellFormed || text.isWellFormed();

  /** Put the sign for what is no letter in its place, and say so. */
  function mend(box) {
    if (whole(box.value)) return;
    const at = box.selectionStart;
    box.value = box.value.toWellFormed();
    if (document.activeElement === box) box.setSelectionRange?.(at, at);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    studio.toast("Half a letter in the text became �.");
  }

  document.addEventListener(
    "input",
    ({ target }) => whole(target.value) || setTimeout(() => mend(target), SETTLING),
    true,
  );
  // What is sent at once waits for nothing.
  document.addEventListener("submit", ({ target }) => [...target.elements].forEach(mend), true);
})(window.studio);
