// The tour's walk: forwards to its end, back, and out at any moment.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const studio = load("tour/walk.js");

test("six steps, the end, and out; back stops at the first; what has not begun goes nowhere", () => {
  const seen = [];
  const walk = studio.tourWalk(
    6,
    (at) => seen.push(at),
    () => seen.push("left"),
  );
  walk.next();
  walk.end();
  assert.deepEqual(seen, []);
  walk.begin();
  for (let i = 0; i < 6; i += 1) walk.next();
  assert.equal(walk.at(), 6);
  walk.next();
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, "left"]);
  assert.equal(walk.at(), null);
  walk.begin();
  walk.back();
  walk.next();
  walk.back();
  walk.end();
  assert.deepEqual(seen.slice(8), [0, 1, 0, "left"]);
});
