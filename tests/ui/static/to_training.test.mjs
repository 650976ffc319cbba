// What is said of pictures that were handed to the training: what the studio refused was not added.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { addedToTraining } = load("to_training.js");
const files = (...names) => names.map((name) => ({ name }));

const said = (given, before, after) => [
  ...addedToTraining(
    files(...given),
    new Map(Object.entries(before)),
    new Map(Object.entries(after)),
  ),
];

test("only what is among the pictures now was added", () => {
  const added = "Added to the training pictures.";
  assert.deepEqual(said(["a.png"], {}, { "a.png": "A" }), [added]);
  assert.deepEqual(
    said(["a.png", "b.png", "no.png"], { "c.png": "C" }, { "c.png": "C", "a.png": 1, "b.png": 2 }),
    ["2 added to the training pictures."],
  );
  assert.deepEqual(said(["broken.png"], { "a.png": "A" }, { "a.png": "A" }), []);
});

test("what was there is told, also beside others; what took its place is not", () => {
  const there = "a.png is among the training pictures already.";
  assert.deepEqual(said(["a.png"], { "a.png": "A" }, { "a.png": "A" }), [there]);
  assert.deepEqual(said(["a.png", "broken.png"], { "a.png": "A" }, { "a.png": "A" }), [there]);
  assert.deepEqual(said(["a.png"], { "a.png": "A" }, { "a.png": "another" }), []);
  assert.deepEqual(said(["a.png", "b.png"], { "a.png": 1 }, { "a.png": 1, "b.png": 2 }), [
    "Added to the training pictures.",
    there,
  ]);
  const two = { "a.png": 1, "b.png": 2 };
  assert.deepEqual(said(["a.png", "b.png"], two, two), [
    "2 are among the training pictures already.",
  ]);
});
