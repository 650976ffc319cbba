// A finger that scrolls over a slider: the browser sets the slider where the finger comes down, then finds
// that the page is meant, and leaves it there. It is put back, and says so as if a hand had done it.
(function (studio) {
  "use strict";

  /** Put sliders inside ``page`` back that a scroll has moved. */
  studio.sparesSliders = function (page) {
    const held = new Map(); // pointer → what it came down on, and how that stood
    page.addEventListener(
      "pointerdown",
      (event) => {
        const slider = event.target;
        if (event.pointerType === "mouse" || slider.type !== "range") return;
        held.set(event.pointerId, { slider, value: slider.value });
      },
      true,
    );
    page.addEventListener("pointerup", (event) => held.delete(event.pointerId), true);
    page.addEventListener(
      "pointercancel",
      (event) => {
        const { slider, value } = held.get(event.pointerId) ?? {};
        held.delete(event.pointerId);
        if (!slider || slider.value === value) return;
        slider.value = value;
        for (const kind of ["input", "change"])
          slider.dispatchEvent(new Event(kind, { bubbles: true }));
      },
      true,
    );
  };
  if (typeof document !== "undefined") studio.sparesSliders(document);
})(window.studio);
