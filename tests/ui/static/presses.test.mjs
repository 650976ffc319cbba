// Presses on what is drawn anew before the hand lets go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const path = fileURLToPath(new URL("../../../studio/ui/static/presses.js", import.meta.url));
const window = { studio: { CARD: "card", PRESSED: "button" } };
const heard = {};
const ends = []; // what happens once the browser is done
const document = { addEventListener: (kind, handler) => (heard[kind] = handler) };
const setTimeout = (end) => ends.push(end);
vm.runInContext(readFileSync(path, "utf8"), vm.createContext({ window, document, setTimeout }));

/** A button with these words in a card with those. */
function button(words, card) {
  const node = {
    words,
    isConnected: true,
    presses: 0,
    click: () => (node.presses += 1),
    contains: (other) => other === node,
    isEqualNode: (other) => other.words === words,
    closest: (kind) => (kind === "card" ? card : node),
  };
  return node;
}
const card = (words) => ({ words, isEqualNode: (other) => other.words === words });

/** Put the mouse down on one, have it go, let go on another; how often that was pressed. */
function presses(was, now, { own = false, pointerType = "mouse" } = {}) {
  heard.pointerdown({ button: 0, pointerType, target: was });
  was.isConnected = was === now;
  heard.pointerup({ target: now });
  if (own) heard.click({ target: now });
  for (const end of ends.splice(0)) end();
  return now.presses;
}

test("its like is pressed in its place, once", () => {
  assert.equal(presses(button("Use", null), button("Use", null)), 1);
  assert.equal(presses(button("Use", card("cat")), button("Use", card("cat"))), 1);
  assert.equal(presses(button("Use", null), button("Use", null), { own: true }), 0);
});

test("another one is not", () => {
  assert.equal(presses(button("Use", null), button("Delete", null)), 0);
  assert.equal(presses(button("Delete", card("cat")), button("Delete", card("dog"))), 0);
  assert.equal(presses(button("Use", null), button("Use", card("dog"))), 0);
});

test("what stays, and a finger, press as the browser says", () => {
  const stays = button("Use", null);
  assert.equal(presses(stays, stays), 0);
  assert.equal(presses(button("Use", null), button("Use", null), { pointerType: "touch" }), 0);
});
