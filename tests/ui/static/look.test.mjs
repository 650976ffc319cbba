// A look at what came by a link: it goes once the preset has come, and tells no more than is so.
import assert from "node:assert/strict";
import test from "node:test";
import { load, loadBeside } from "./load.mjs";

/** A look on a page of stand-ins: what was drawn, which buttons there are, what the server was asked. */
function look() {
  const heard = {};
  const page = { answered: [], asked: [], buttons: {}, focused: 0 };
  const el = (tag, attributes, ...children) => ({
    tag,
    attributes,
    children,
    hidden: false,
    focus() {},
  });
  const pressable = (name, press) => (page.buttons[name] = press);
  const studio = loadBeside(
    {
      el,
      word: pressable,
      button: (_, name, press) => pressable(name, press),
      say: (text) => text,
      on: (name, listener) => (heard[name] = listener),
      linkAnswered: (done) => page.answered.push(done),
      focusForm: () => page.focused++,
      filled: Promise.resolve(),
      newest: load("dom.js").newest,
    },
    "look.js",
  );
  const element = {
    shown: null,
    replaceChildren: (box = null) => (element.shown = box),
    scrollIntoView() {},
  };
  const props = { value: {} };
  let draw = null;
  studio.mountLook(
    element,
    props,
    (name, detail) => page.asked.push({ ...detail }),
    (_, drawn) => {
      draw = drawn;
    },
  );
  return {
    page,
    hears: (name, told) => heard[name](told),
    shows(value) {
      props.value = value;
      draw();
    },
    shown: () => element.shown,
    name: () => element.shown?.children[0].children[0].children[0],
    text: () => props,
  };
}

const value = (more) => ({
  nonce: 1,
  name: "Linked",
  base: "base",
  rows: [],
  more: 0,
  missing: "",
  code: "abc",
  state: "asked",
  ...more,
});

test("a link is done with when its preset has come, not when it was asked for", () => {
  const seen = look();
  seen.shows(value());
  seen.page.buttons["Open it"]();
  assert.equal(seen.page.asked[0].code, "abc");
  assert.deepEqual(seen.page.answered, [false]); // a reload asks again
  seen.hears("notes", { loaded: true, nonce: 9 }); // another preset
  seen.hears("notes", { loaded: false, nonce: 10, look: 1 });
  assert.ok(seen.shown());
  seen.hears("notes", { loaded: true, nonce: 11, look: seen.page.asked[0].look });
  assert.equal(seen.shown(), null);
  assert.deepEqual(seen.page.answered, [false, true]);
});

test("keeping one's own form answers at once", () => {
  const seen = look();
  seen.shows(value());
  seen.page.buttons["Keep mine"]();
  assert.equal(seen.shown(), null);
  assert.deepEqual(seen.page.answered, [false, true]);
  assert.deepEqual(seen.page.asked, []);
});

test("what is not on the page after undo is not said to be, and redo brings it back", () => {
  const seen = look();
  seen.shows(value({ state: "opened", with: 5 }));
  seen.hears("opened", { left: true });
  assert.equal(seen.shown().hidden, false);
  seen.hears("opened", { left: false });
  assert.equal(seen.shown().hidden, true);
  seen.hears("opened", { left: true });
  assert.equal(seen.shown().hidden, false);
  seen.shows(value());
  seen.hears("opened", { left: false }); // of one that asks, nothing is on the page
  assert.equal(seen.shown().hidden, false);
});

test("an answer on an earlier look changes nothing of another", () => {
  const seen = look();
  seen.shows(value({ code: "first", missing: "old" }));
  seen.shows(value({ code: "second", name: "Other", nonce: 2 }));
  seen.shows(value({ code: "first", again: true, nonce: 3, missing: "new" }));
  seen.page.buttons["Open it"]();
  assert.equal(seen.page.asked[0].code, "second");
  seen.shows(value({ code: "second", again: true, nonce: 4, missing: "came" }));
  assert.equal(seen.shown().children.at(-1).innerHTML, "came");
});

test("of two answers that come at once the second has all that the first said", () => {
  const seen = look();
  seen.shows(value({ again: true, missing: "came" }));
  assert.deepEqual(seen.page.answered, [false]);
  assert.equal(seen.shown().children.at(-1).innerHTML, "came");
});

test("an answer on one that was closed does not bring it back, opening it anew does", () => {
  const seen = look();
  seen.shows(value());
  seen.page.buttons["Keep mine"]();
  seen.shows(value({ again: true, nonce: 2 }));
  assert.equal(seen.shown(), null);
  seen.shows(value({ nonce: 3 }));
  assert.ok(seen.shown());
});
