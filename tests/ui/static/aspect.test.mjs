// Aspect ratios: their sizes under a base and an autoencoder, and which of them a size is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

const { beyondMost, aspectOf, aspectSizes, nativeSize, picturesOf, sizesLike } = load(
  "row/models.js",
  "row/control_choices.js",
  "aspect.js",
);
const aspects = { "1:1": [128, 128], "16:9": [168, 96] };

test("a decoder of more pixels makes larger pictures of the same ratio", () => {
  const base = { factor: 8, aspects };
  assert.deepEqual(plain(aspectSizes(base)), plain(new Map(Object.entries(aspects))));
  assert.deepEqual([...aspectSizes(base, { factor: 16 }).get("16:9")], [336, 192]);
  assert.equal(aspectSizes(undefined).size, 0);
});

test("a decoder of the base's own factor changes nothing where the network takes positions together", () => {
  const base = { size: 1024, multiple: 16, factor: 8, aspects: { "1:1": [1024, 1024] } };
  const vae = { multiple: 8, factor: 8 };
  assert.deepEqual([...aspectSizes(base, vae).get("1:1")], [1024, 1024]);
  assert.equal(nativeSize(base, vae), 1024);
});

test("what a page does not make says why", () => {
  const sizes = aspectSizes({ factor: 8, aspects: { "1:1": [1024, 1024], "21:9": [1536, 640] } });
  assert.equal(beyondMost(sizes, 1024), "A side has at most 1024 pixels on this page.");
  assert.equal(beyondMost(sizes, 1536), "");
});

test("a size of a person's own is none of them", () => {
  const sizes = aspectSizes({ factor: 8, aspects });
  assert.equal(aspectOf(sizes, [168, 96]), "16:9");
  assert.equal(aspectOf(sizes, [128, 128]), "1:1");
  for (const own of [
    [96, 168],
    [168, 128],
  ])
    assert.equal(aspectOf(sizes, own), "");
});

test("a picture leads to its own size in the base's multiples, and to its aspect at the base's pixels", () => {
  const base = { size: 128, multiple: 8, factor: 8, aspects };
  const sizes = (picture, vae) =>
    plain([...sizesLike([["the start picture", picture]], base, vae)]);
  assert.deepEqual(sizes([600, 300]), [
    ["As the start picture", [600, 304]],
    ["Aspect of the start picture", [184, 88]],
  ]);
  assert.deepEqual(sizes([128, 128]), [["As the start picture", [128, 128]]]);
  assert.deepEqual(
    sizes([600, 300], { factor: 16 }).map(([, size]) => size),
    [
      [608, 304],
      [368, 176],
    ],
  );
  assert.deepEqual(sizes([1, 3])[0][1], [8, 8]);
});

test("the pictures of a form are the one to start from and the rows' control images", () => {
  const rows = [{ control: null }, { control: { image: "inputs/b.png" } }];
  assert.deepEqual(plain(picturesOf({ init: { image: "inputs/a.png" }, rows })), [
    ["the start picture", "inputs/a.png"],
    ["the control image of row 2", "inputs/b.png"],
  ]);
  assert.deepEqual(plain(picturesOf({ init: null, rows: [{}] })), []);
});
