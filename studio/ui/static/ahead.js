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
})();
