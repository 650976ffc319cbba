// The scale of all rows, as it is worked out on the page: tests/preset/test_scale.py has the same cases.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

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
