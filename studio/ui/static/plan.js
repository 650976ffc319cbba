// The plan in sight, marked while the one of the form as it is now is still being made.
(function (studio) {
  "use strict";
  const PATIENCE = 300; // ms after which a wait is worth a word

  /** Whether an answer is awaited, where a request that comes during another waits for its end:
   *  {asked(), made()}, which say so. */
  studio.awaited = function () {
    let running = false;
    let next = false;
    return {
      asked() {
        next = running;
        return (running = true);
      },
      made() {
        running = next;
        next = false;
        return running;
      },
    };
  };

  const plan = studio.awaited();
  let word = null;
  let timer = null;

  function mark(waits) {
    const node = document.getElementById("gs-plan");
    if (!node) return;
    word ??= studio.el("span", { class: "gs-plan-waits", role: "status" });
    if (word.parentNode !== node) node.append(word);
    word.textContent = waits ? "Being worked out anew …" : "";
    node.toggleAttribute("data-waits", waits);
    node.setAttribute("aria-busy", String(waits));
  }

  /** The form has changed, and its plan is asked for. */
  studio.planAsked = function () {
    plan.asked();
    if (timer === null) timer = setTimeout(() => mark(true), PATIENCE);
  };

  /** A plan has come. */
  studio.planMade = function () {
    if (plan.made()) return;
    clearTimeout(timer);
    timer = null;
    mark(false);
  };
})(window.studio);
