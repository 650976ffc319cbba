// Where the keyboard is after what it pressed has gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const path = fileURLToPath(new URL("../../../studio/ui/static/keyboard.js", import.meta.url));
const window = { studio: {} };
const heard = {};
const looks = []; // in their order
const document = { addEventListener: (kind, handler) => (heard[kind] = handler) };
const setTimeout = (look) => looks.push(look);
vm.runInContext(readFileSync(path, "utf8"), vm.createContext({ window, document, setTimeout }));
const { placeAfter } = window.studio;
const all = ["before", "pressed", "its own", "next", "last"];
const live =
  (...gone) =>
  (one) =>
    gone.includes(one) ? null : one;

test("what follows has the keyboard, else what stood before", () => {
  assert.equal(placeAfter("pressed", all, live("pressed", "its own")), "next");
  assert.equal(placeAfter("pressed", all, live("pressed", "its own", "next", "last")), "before");
  assert.equal(placeAfter("pressed", all, live(...all)), null);
});

test("a button of the same line comes first", () => {
  const line = (one) => one === "last";
  assert.equal(placeAfter("pressed", all, live("pressed"), line), "last");
});

/** A button of that label in these cards, nearest first, and a card that holds these now. */
const button = (label, around, region) => ({ kind: "button", label, around, region });
const holds = (...labels) => ({
  isConnected: true,
  querySelectorAll: () => labels.map((label) => ({ label, getAttribute: () => label })),
});

test("one of the same label in another row is not the one that was pressed", () => {
  const region = holds("Remove hero", "Remove other", "Remove other", "Alone");
  const [first, second] = [holds("Remove hero", "Remove other"), holds("Remove other")];
  const places = [
    button("Remove hero", [first], region),
    button("Remove other", [first], region),
    button("Remove hero", [second], region),
    button("Remove other", [second], region),
    button("Alone", [], region),
  ];
  const { drawnAnew } = window.studio;
  assert.equal(drawnAnew(places[2], places), null); // its row has none any more
  assert.equal(drawnAnew(places[3], places).label, "Remove other");
  assert.equal(drawnAnew(places[4], places).label, "Alone");
  assert.equal(drawnAnew(button(null, [first], region), places), null);
  second.isConnected = false; // the whole row went
  for (const place of places.slice(2, 4)) assert.equal(drawnAnew(place, places), null);
});

test("of two that a row calls alike none is taken for the other", () => {
  const card = holds("Remove hero");
  const places = [button("Remove hero", [card], card), button("Remove hero", [card], card)];
  assert.equal(window.studio.drawnAnew(places[0], places), null);
});

/** Start and Stop of one line, and what pressing Start by key has shown of them in the end. */
function pressed(...after) {
  const region = { querySelectorAll: () => line };
  const one = (name) => ({
    name,
    isConnected: true,
    tabIndex: 0,
    localName: "button",
    getAttribute: () => null,
    getClientRects: () => [1],
    closest: (selector) => (selector.startsWith("dialog") ? region : start),
    matches: () => true,
    focus() {
      document.activeElement = this;
      heard.focusin({ target: this });
    },
  });
  const start = one("Start");
  const line = [start, one("Stop")];
  document.activeElement = start;
  looks.length = 0;
  heard.keydown({ key: "Enter", target: start });
  heard.click({ detail: 0, isTrusted: true, target: start });
  start.disabled = true;
  document.activeElement = document.body = {};
  for (const hand of after) hand(line[1]);
  for (const look of looks.splice(0)) look();
  return { start, stop: line[1], at: document.activeElement.name };
}

test("a key that is held down presses what it was put down on, and nothing that comes after", () => {
  const { start, stop, at } = pressed();
  assert.equal(at, "Stop");
  const prevented = (target, repeat) => {
    let said = false;
    heard.keydown({ key: "Enter", repeat, target, preventDefault: () => (said = true) });
    return said;
  };
  assert.deepEqual([prevented(start, true), prevented(stop, true)], [false, true]);
  assert.deepEqual([prevented(stop, false), prevented(stop, true)], [false, false]);
});

test("what the keyboard was brought to goes too, as Stop at the end: it is brought on", () => {
  const { start, stop } = pressed();
  for (const look of looks.splice(0)) look(); // nothing has changed
  assert.equal(document.activeElement.name, "Stop");
  start.disabled = false;
  stop.disabled = true;
  document.activeElement = document.body;
  for (const look of looks.splice(0)) look();
  assert.equal(document.activeElement.name, "Start");
});

test("whoever goes elsewhere meanwhile is not called back", () => {
  const key = (name) => () => heard.keydown({ key: name, target: {} });
  for (const name of ["Tab", "Escape"]) assert.equal(pressed(key(name)).at, undefined);
  assert.equal(pressed(key("a")).at, "Stop");
  const elsewhere = () => heard.focusin({ target: {} }); // and out of there again
  assert.equal(pressed(elsewhere).at, undefined);
});
