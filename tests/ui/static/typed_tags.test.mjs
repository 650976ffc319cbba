// Tags of pictures as they are typed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

test("tags are divided by the commas of every keyboard, and counted so", () => {
  const studio = load("history/details.js");
  assert.deepEqual(plain(studio.tagsIn("قطة، كلب, cat")), ["قطة", " كلب", " cat"]);
  assert.equal(studio.checkTags("a، b، c", { tag: 10, tags: 2 }), "3 tags: at most 2");
});
