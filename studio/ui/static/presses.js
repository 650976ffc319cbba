// A press is kept where what it was put down on is drawn anew before the hand lets go, as browsers drop it.
(function (studio) {
  "use strict";

  /** Whether two of them, or of the cards around them, are one that was drawn anew. */
  const alike = (one, other) => one === other || Boolean(one && other && one.isEqualNode(other));

  /**
   * Whether what was put down on is what the hand lets go of: itself or its like, in the same card, so that
   * a list that moved meanwhile has no other one pressed.
   * @param was {pressed, card} as they were put down on, now perhaps out of the page
   * @param now {pressed, card} under the hand
   */
  studio.samePress = (was, now) => alike(was.pressed, now.pressed) && alike(was.card, now.card);

  function under(target) {
    const pressed = target.closest?.(studio.PRESSED) ?? null;
    return { target, pressed, card: pressed?.closest(studio.CARD) ?? null };
  }

  let put = null; // what the mouse is down on
  let clicked = null; // what the browser's own last click was on
  document.addEventListener(
    "pointerdown",
    ({ button, pointerType, target }) => {
      put = button === 0 && pointerType === "mouse" ? under(target) : null;
    },
    true,
  );
  document.addEventListener("click", ({ target }) => (clicked = target), true);
  document.addEventListener(
    "pointerup",
    ({ target }) => {
      const was = put;
      put = null;
      if (!was?.pressed || was.target.isConnected) return;
      const now = under(target);
      if (!studio.samePress(was, now)) return;
      clicked = null;
      setTimeout(() => now.pressed.contains(clicked) || now.pressed.click());
    },
    true,
  );
})(window.studio);
