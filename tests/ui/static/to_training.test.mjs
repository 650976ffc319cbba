// What is said of pictures that were handed to the training: what the studio refused was not added.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { addedToTraining } = load("to_training.js");
const files = (...names) => names.map((name) => ({ name }));

test("only what is among the pictures now was added", () => {
  const said = (given, before, after) => addedToTraining(files(...given), before, after);
  assert.equal(said(["a.png"], [], ["a.png"]), "Added to the training pictures.");
  assert.equal(
    said(["a.png", "b.png", "no.png"], ["c.png"], ["c.png", "a.png", "b.png"]),
    "2 added to the training pictures.",
  );
  assert.equal(said(["broken.png"], ["a.png"], ["a.png"]), "");
  assert.match(said(["a.png"], ["a.png"], ["a.png"]), /^A picture of that name is among/);
});
