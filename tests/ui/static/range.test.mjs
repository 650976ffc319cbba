// The part of the denoising in which a row acts, as its boxes and knobs set it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, loadBeside, plain } from "./load.mjs";

/** The editor over a row of this range, with its two boxes and its two knobs. */
function rangeOf(...range) {
  const [boxes, knobs] = [[], []];
  const el = (tag, given) => {
    if (given.type === "range") knobs.push(given);
    return { ...given, style: { setProperty() {} } };
  };
  const numberEditor = ({ changed }) => {
    const box = { value: null, read() {}, write: () => box.value };
    boxes.push({ type: (value) => changed((box.value = value)) });
    return box;
  };
  const { tidy, worked } = load("numbers.js");
  const given = { el, tidy, worked, numberEditor, rowEditors: {}, entryOf: () => ({}) };
  const card = { row: { range }, edit: (part) => Object.assign(card.row, plain(part)) };
  loadBeside(given, "row/range.js").rowEditors.range(card);
  return {
    ...{ boxes, knobs, range: () => card.row.range },
    pull: (which, value) => knobs[which].oninput({ target: { value } }),
  };
}

test("every digit of a typed range stands, and a text that is no number too", () => {
  const one = rangeOf(0, 1);
  for (const typed of [0.3333, 0.0004, 1e-12, 0.123456789, "abc", ""]) {
    one.boxes[0].type(typed);
    assert.deepEqual(one.range(), [typed, 1]);
  }
  one.boxes[1].type(0.6667);
  assert.equal(one.range()[1], 0.6667);
});

test("a knob makes tidy numbers and stops at the other one", () => {
  const one = rangeOf(0.3333, 0.6667);
  one.pull(1, "0.15000000000000002");
  assert.deepEqual(one.range(), [0.3333, 0.3333]);
  one.pull(0, "0.15000000000000002");
  assert.deepEqual(one.range(), [0.15, 0.3333]);
});
