// An event that waits for the last one's answer: Gradio tells the first one's words again for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

test("what waits is told in the newest words, whichever of them is told again", () => {
  const told = [];
  const studio = load("dom.js");
  const use = studio.newest((name, words) => told.push([name, words]), "select");
  use({ id: "a", part: "all" });
  assert.equal(JSON.stringify(told[0]), '["select",{"id":"a","part":"all"}]');
  use({ id: "b" });
  assert.equal(JSON.stringify(told[0]), '["select",{"id":"b"}]');
});
