// Runs before Gradio's own scripts, which take what they need of the window at once. Their sign of
// loading goes on counting its time after it was taken away, in every frame for as long as the page
// is open. Nobody sees it; without it a page at rest does nothing.
(function () {
  "use strict";
  const frame = window.requestAnimationFrame.bind(window);
  const counts = (step) => {
    const text = String(step);
    return text.length < 200 && text.includes("performance.now()") && text.includes("1e3");
  };
  window.requestAnimationFrame = (step) =>
    window.studio?.isFilled?.() && counts(step) ? 0 : frame(step);

  // Before each request they copy all that its fields hold, word by word: thirty thousand times while
  // the page opens. What cannot change needs no copy, and what a browser says of a function, which
  // has none, is made once.
  const copy = window.structuredClone.bind(window);
  let refusal = null;
  window.structuredClone = (...given) => {
    const [value] = given;
    if (given.length !== 1) return copy(...given);
    if (typeof value === "function") throw (refusal ??= refused(copy, value));
    return Object(value) !== value && typeof value !== "symbol" ? value : copy(value);
  };

  function refused(attempt, value) {
    try {
      return attempt(value);
    } catch (error) {
      return error;
    }
  }
})();
