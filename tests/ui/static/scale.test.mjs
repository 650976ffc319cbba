// The scale of all rows, as it is worked out on the page: tests/preset/test_scale.py has the same cases.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, loadIn, plain } from "./load.mjs";

const studio = load("numbers.js", "row/scale.js");
const rows = (...weights) =>
  weights.map((weight) => ({ weight, enabled: true, solo: false, reference: "unconditional" }));
const under = (scale, ...weights) => plain(studio.weightsOfScale(rows(...weights), scale));

test("a negative prompt follows the scale, and others keep their shares", () => {
  for (const before of [
    [7, -6],
    [1, 0],
    [3, -8],
  ])
    for (const scale of [0.5, 1, 1.5, 7, 30])
      assert.deepEqual(under(scale, ...before), [scale, 1 - scale]);
  assert.deepEqual(under(10, 6, 3, -8), [10, 5, -14]);
  assert.deepEqual(under(3, 6, -2, -3), [3, -0.8, -1.2]);
  assert.deepEqual(under(8, 5, 0), [8, 0]);
  assert.deepEqual(under(5, 1, 0, 0), [5, 0, 0]);
  assert.deepEqual(under(5, 0.5, 0.5, 0), [5, 5, 0]);
});

test("it is shown where weights are of one, and set where one prompt leads", () => {
  const of = (...weights) => plain(studio.guidanceScaleOf(rows(...weights)));
  assert.deepEqual(of(7, -6), { value: 7, can: true, away: true });
  assert.deepEqual(of(7.1, -6.1), { value: 7.1, can: true, away: true });
  assert.deepEqual(of(7, -2), { value: null, can: true, away: true });
  assert.deepEqual(of(5, 3, -2), { value: null, can: false, away: true });
  assert.deepEqual(of(5), { value: 5, can: true, away: false });
  assert.deepEqual(of(-5), { value: null, can: false, away: true });
  const own = rows(7, -6);
  own[1].reference = "own";
  assert.equal(studio.guidanceScaleOf(own).can, false);
  const muted = rows(7, -6, -3);
  muted[2].enabled = false;
  assert.equal(studio.guidanceScaleOf(muted).value, 7);
});

test("a first negative prompt takes what makes the rows a scale, where there is room for one", () => {
  const of = (...weights) => plain(studio.firstNegative(rows(...weights)));
  assert.deepEqual(of(7.1), { weight: -6.1, at: 0 });
  assert.deepEqual(of(5, 3), { weight: -7, at: 1 });
  for (const weights of [[], [1], [0.5], [5, -4], [-2]]) assert.equal(of(...weights), null);
});

/** The field over rows of these weights, with a box that has the keyboard or not. */
function fieldOver(...weights) {
  const box = { value: "", addEventListener: (kind, act) => (box[kind] = act) };
  const page = { activeElement: null };
  const number = { element: {}, box, value: null, write: () => number.value };
  number.read = (value) => (box.value = value === null ? "" : String(value));
  const given = {
    ...{
      el: (_, given) => ({ ...given }),
      asText: JSON.stringify,
      worked: load("numbers.js").worked,
    },
    ...{ fieldOf: () => ({ high: 1000 }), varyButton: () => ({}) },
    numberEditor: (options) => Object.assign(number, options),
  };
  const studio = loadIn({ document: page }, given, "row/scale.js");
  const stack = { commit: () => field.read() };
  const put = (all) => (stack.cards = rows(...all).map((row) => ({ row, refresh() {} })));
  put(weights);
  const field = studio.scaleField(stack);
  field.read();
  return {
    ...{ field, box, put, allowed: number.field },
    shown: () => !field.element.hidden,
    weights: () => stack.cards.map(({ row }) => row.weight),
    focus: (on) => (page.activeElement = on ? box : null),
    type(value) {
      number.value = value;
      number.changed();
    },
  };
}

test("the field stays while one types, and what it has made is taken back to its shares", () => {
  const one = fieldOver(7, -2, -4);
  assert.equal(one.allowed.low, 1);
  one.focus(true);
  one.type(1);
  assert.deepEqual([one.weights().map(Math.abs), one.shown()], [[1, 0, 0], true]);
  one.focus(false);
  one.field.read();
  assert.equal(one.shown(), true); // these rows came of it
  one.type(13);
  assert.deepEqual(one.weights(), [13, -4, -8]);
  one.type(1);
  one.put([1, 0, 0]); // the same weights, of another preset
  one.field.forget();
  one.field.read();
  assert.equal(one.shown(), false);
  one.type(13);
  assert.deepEqual(one.weights(), [13, 0, 0]);
});

test("no digit of a weight is lost: the rows stay of a scale, as they are worked out elsewhere", () => {
  assert.deepEqual(under(7.12345, 5, -4), [7.12345, -6.12345]);
  assert.deepEqual(plain(studio.firstNegative(rows(5.1234))), { weight: -4.1234, at: 0 });
  assert.deepEqual(plain(studio.guidanceScaleOf(rows(...under(7.12345, 5, -4)))).value, 7.12345);
});

test("a scale that cannot be stands in the rows as it is typed, and takes no weight with it", () => {
  for (const wrong of ["abc", "1,000", 1e9, -5, 0.5]) {
    const one = fieldOver(7, -2, -4);
    one.focus(true);
    one.type(wrong);
    if (typeof wrong === "string") assert.deepEqual(one.weights(), [wrong, wrong, wrong]);
    one.type(null);
    assert.deepEqual(one.weights(), [7, -2, -4]);
    one.type(wrong);
    one.type(13);
    assert.deepEqual(one.weights(), [13, -4, -8]);
    one.type(null); // on the way to another
    assert.deepEqual(one.weights(), [13, -4, -8]);
  }
});

test("a box that is left empty shows the scale that holds", () => {
  const one = fieldOver(7, -6);
  one.focus(true);
  one.box.value = "";
  one.type(null);
  assert.equal(one.box.value, "");
  one.box.change();
  assert.equal(one.box.value, "7");
});
