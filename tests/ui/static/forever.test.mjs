// What Forever says of a form that has changed since it was pressed.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

function pressed(form) {
  const said = [];
  const clock = { time: 0 };
  const told = load("forever.js").foreverTold(
    (text) => said.push(text),
    () => clock.time,
  );
  told.changed(form);
  told.pressed();
  told.runs(true);
  return { said, told, clock };
}

test("a change is said once for each press", () => {
  const { said, told, clock } = pressed("a cat");
  clock.time = 5000;
  told.changed("a cat");
  assert.equal(said.length, 0);
  told.changed("a dog");
  told.changed("a red dog");
  assert.equal(said.length, 1);
  told.pressed();
  clock.time = 10_000;
  told.changed("a red dog");
  told.changed("a fox");
  assert.equal(said.length, 2);
});

test("what was typed just before the press is in what it makes", () => {
  const { said, told, clock } = pressed("a c");
  clock.time = 500;
  told.changed("a cat");
  clock.time = 5000;
  told.changed("a cat");
  assert.equal(said.length, 0);
  told.changed("a dog");
  assert.equal(said.length, 1);
});

test("nothing is said where nothing goes on, or was pressed", () => {
  const { said, told, clock } = pressed("a cat");
  told.runs(false);
  clock.time = 5000;
  told.changed("a dog");
  const { said: never, told: idle } = pressed("a cat");
  idle.changed("a cat");
  assert.deepEqual([said, never], [[], []]);
});
