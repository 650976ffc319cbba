import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const MOMENT = 60; // ms, longer than the script's

const studio = load("changes.js");
const moment = () => new Promise((done) => setTimeout(done, MOMENT));

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

test("each form has its own, and one that is not whole yet is not told of", async () => {
  const told = [];
  let whole = false;
  studio.isFilled = () => whole;
  for (const form of ["preset", "training"]) studio.mountChanges(() => told.push(form), form);
  studio.formChanged("preset");
  studio.formChanged("training");
  await moment();
  assert.deepEqual(told, ["training"]);
  whole = true;
  studio.formChanged("preset");
  await moment();
  assert.deepEqual(told, ["training", "preset"]);
});

test("a change that nobody could be told of is told when somebody can", async () => {
  const early = load("changes.js");
  const told = [];
  early.formChanged("training");
  await moment();
  early.mountChanges((event) => told.push(event), "training");
  await moment();
  assert.deepEqual(told, ["changed"]);
});

test("a component tells of what it sets and of what comes from outside", async () => {
  const page = load("changes.js");
  const told = [];
  page.mountChanges((event) => told.push(event), "training");
  const held = { value: 1, other: 2 };
  let outside = null;
  const props = page.telling("training", held, (name, tell) => {
    assert.equal(name, "value");
    outside = tell;
  });
  props.other = 3;
  await moment();
  assert.deepEqual([told, held.other], [[], 3]);
  props.value = 4;
  await moment();
  assert.deepEqual([told, held.value, props.value], [["changed"], 4, 4]);
  outside();
  await moment();
  assert.equal(told.length, 2);
});
