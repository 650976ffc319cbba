import assert from "node:assert/strict";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("numbers.js", "row/prompt_keys.js");

test("the keyboard weighs what is selected, or the word at the cursor", () => {
  const up = (text, start, end = start) => plain(studio.weigh(text, start, end, 0.1));
  assert.deepEqual(up("a cat", 3), { text: "a (cat:1.1)", start: 3, end: 6 });
  assert.deepEqual(up("a (cat:1.1)", 4), { text: "a (cat:1.2)", start: 3, end: 6 });
  assert.deepEqual(up("a (cat:0.9) x", 5), { text: "a cat x", start: 2, end: 5 });
  assert.deepEqual(up("a red cat x", 2, 9), { text: "a (red cat:1.1) x", start: 3, end: 10 });
  assert.deepEqual(up("a (red cat:1.1) x", 2, 15).text, "a (red cat:1.2) x");
  assert.deepEqual(plain(studio.weigh("cat", 0, 0, -0.1)).text, "(cat:0.9)");
  assert.deepEqual(up("a  b", 2), { text: "a  b", start: 2, end: 2 });
});

test("what changes by steps or by chance stays whole when a word in it is weighed", () => {
  const up = (text, place) => studio.weigh(text, place, place, 0.1).text;
  assert.equal(up("a [cat:dog:0.5] in", 4), "a [(cat:1.1):dog:0.5] in");
  assert.equal(up("a [cat:dog:0.5] in", 8), "a [cat:(dog:1.1):0.5] in");
  assert.equal(up("a [cat:dog:0.5] in", 12), "a [cat:dog:0.5] in");
  assert.equal(up("a [(cat:1.1):dog:0.5]", 5), "a [(cat:1.2):dog:0.5]");
  assert.equal(up("a {2::cat|owl}", 7), "a {2::(cat:1.1)|owl}");
  assert.equal(up("a {2$$cat|owl}", 7), "a {2$$(cat:1.1)|owl}");
  assert.equal(up("embedding:hero", 3), "(embedding:hero:1.1)");
  assert.equal(up("a [b] re:zero", 9), "a [b] (re:zero:1.1)");
});

test("brackets without a number get one, and so does a LoRA's tag", () => {
  const by = (text, place, more) => studio.weigh(text, place, place, more).text;
  assert.equal(by("a (red fox) b", 4, 0.1), "a (red fox:1.2) b");
  assert.equal(by("a (cat) b", 4, -0.1), "a cat b");
  assert.equal(by("a ((cat)) b", 5, 0.1), "a ((cat:1.2)) b");
  assert.equal(by("a \\(cat\\) b", 5, 0.1), "a \\((cat:1.1)\\) b");
  assert.equal(by("x <lora:ink:0.8>", 8, 0.1), "x <lora:ink:0.85>");
  assert.equal(by("x <lora:ink> y", 8, -0.1), "x <lora:ink:0.95> y");
  assert.equal(by("x <lora:ink:0.8:0.5>", 8, 0.1), "x <lora:ink:0.85:0.5>");
  const { start, end } = studio.weigh("x <lora:ink:1>", 8, 8, -0.1);
  assert.deepEqual([start, end], [3, 16]); // between its brackets, for the next press
});

test("a part moves past the comma beside it, and no further than what belongs together", () => {
  const move = (text, place, way) => plain(studio.movePart(text, place, place, way));
  assert.deepEqual(move("a cat, red, flat", 8, -1), { text: "red, a cat, flat", start: 0, end: 3 });
  assert.deepEqual(move("a cat, red, flat", 8, 1), {
    text: "a cat, flat, red",
    start: 13,
    end: 16,
  });
  assert.equal(move("a cat, red", 1, -1).text, "a cat, red");
  assert.equal(move("(a, cat:1.2), red", 2, 1).text, "red, (a, cat:1.2)");
  assert.equal(move("a cat, red AND dog, blue", 16, 1).text, "a cat, red AND blue, dog");
  assert.equal(move("a cat, red AND dog, blue", 16, -1).text, "a cat, red AND dog, blue");
  assert.equal(move("a cat, red AND dog, blue", 1, 1).text, "red, a cat AND dog, blue");
  assert.equal(move("a, b\nc, d", 6, -1).text, "a, b\nc, d");
  assert.equal(move("a, b\nc, d", 8, -1).text, "a, b\nd, c");
});
