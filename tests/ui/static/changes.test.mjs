import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const studio = load("changes.js");

test("changes of a moment are told once, later ones again", () => {
  const waits = [];
  let told = 0;
  const changed = studio.together(
    () => told++,
    (done) => waits.push(done),
  );
  for (let i = 0; i < 30; i++) changed();
  assert.equal(waits.length, 1);
  assert.equal(told, 0);
  waits.shift()();
  assert.equal(told, 1);
  changed();
  waits.shift()();
  assert.equal(told, 2);
});
