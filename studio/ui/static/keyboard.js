// The keyboard stays where it was, also where what it pressed goes, or cannot be pressed any more.
(function (studio) {
  "use strict";
  const FOCUSABLE = "button, input, select, textarea, summary, a[href], [tabindex='0']";
  studio.PRESSED = ["button", "summary", "a[href]"].join();
  studio.CARD = ".gs-card, .gs-pic, .gs-gallery-card, li, tr";
  const REGION = "dialog, [role=tabpanel], #gs-left, #gs-right, body";
  const LOOKS = [60, 250, 800, 2000, 5000]; // ms after the press, unless a hand goes elsewhere
  const LATER = 1000; // ms between two looks at what the keyboard was brought to
  const SETTLED = 800; // ms: what was pressed and is still there may come back until then

  /**
   * What has the keyboard next, or null.
   * @param all what could have it at the press, in the page's order, with what was pressed itself
   * @param live what one of them is now, as a list may be drawn anew; null where it cannot have it
   * @param beside whether one stands beside what was pressed, as the buttons of one line do
   */
  studio.placeAfter = function (pressed, all, live, beside = () => false) {
    const at = all.indexOf(pressed);
    const order = [...all.slice(at + 1), ...all.slice(0, Math.max(0, at)).reverse()];
    const found = order.map(live).filter(Boolean);
    return found.find(beside) ?? found[0] ?? null;
  };

  const usable = (node) =>
    node?.isConnected && !node.disabled && node.tabIndex >= 0 && node.getClientRects().length > 0;

  /** Of each of these its kind, its label and the cards around it, nearest first, at the press. */
  function placesOf(all, region) {
    return all.map((node) => {
      const around = [];
      for (let card = node; (card = card.parentElement?.closest(studio.CARD));) around.push(card);
      return { kind: node.localName, label: node.getAttribute("aria-label"), around, region };
    });
  }

  /** The same one where a list was drawn anew, by its label: in the nearest card around it that still
   *  stands, as other rows have the same, and only where one alone had it there; null without one. */
  studio.drawnAnew = function ({ kind, label, around, region }, places) {
    if (!label) return null;
    const card = around.find((one) => one.isConnected);
    const alike = (one) => one.label === label && one.kind === kind;
    const before = places.filter((one) => alike(one) && (!card || one.around.includes(card)));
    if (before.length > 1) return null;
    const now = [...(card ?? region).querySelectorAll(kind)].filter(
      (one) => one.getAttribute("aria-label") === label,
    );
    return now.length === 1 ? now[0] : null;
  };

  /** Bring the keyboard to what is next, where it is lost; answers that. */
  function look(pressed, all, places, line, time) {
    const lost = [null, document.body].includes(document.activeElement);
    if (!lost || usable(pressed)) return null;
    if (pressed.isConnected && time < SETTLED) return null;
    const again = (node) => studio.drawnAnew(places[all.indexOf(node)], places);
    const live = (node) => [node, node.isConnected ? null : again(node)].find(usable) ?? null;
    const beside = (node) => pressed.isConnected && node.parentElement === line;
    const own = pressed.isConnected ? null : live(pressed);
    const next = own ?? studio.placeAfter(pressed, all, live, beside);
    moving = true;
    next?.focus();
    moving = false;
    return next;
  }

  /** What the keyboard was brought to goes too, in its time: as what ends a training, at its end. */
  function follow(node, all, places, line, mine) {
    if (!node || mine !== turn) return;
    const next = usable(node) ? node : look(node, all, places, line, LATER);
    setTimeout(() => follow(next, all, places, line, mine), LATER);
  }

  let turn = 0; // a hand elsewhere ends it: a pointer, Tab and Escape, another place with the keyboard
  let moving = false; // by the looks here
  let put = null; // what the key that is down was put down on
  document.addEventListener("pointerdown", () => (turn += 1), true);
  document.addEventListener("focusin", () => moving || (turn += 1), true);
  document.addEventListener(
    "keydown",
    (event) => {
      const { key, repeat, target } = event;
      if (["Tab", "Escape"].includes(key)) turn += 1;
      if (!repeat) put = target;
      // Held down it presses nothing that the keyboard has come to meanwhile, as Stop after Start.
      else if (key === "Enter" && target !== put && target.matches?.(studio.PRESSED))
        event.preventDefault();
    },
    true,
  );
  // A press by key is a click of no pointer.
  document.addEventListener(
    "click",
    ({ detail, isTrusted, target }) => {
      const pressed = target.closest?.(FOCUSABLE);
      if (detail || !isTrusted || !pressed) return;
      const region = pressed.closest(REGION);
      const all = [...region.querySelectorAll(FOCUSABLE)];
      const places = placesOf(all, region);
      const line = pressed.parentElement;
      const mine = (turn += 1);
      const step = (time) => {
        if (mine === turn) follow(look(pressed, all, places, line, time), all, places, line, mine);
      };
      for (const time of LOOKS) setTimeout(() => step(time), time);
    },
    true,
  );
})(window.studio);
