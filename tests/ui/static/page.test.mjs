// Where the page's own files lie: beside it, under whatever path a proxy has put it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

test("the manifest lies beside the page", () => {
  const studio = load("dom.js");
  const at = (place) => studio.besidePage("studio.webmanifest", place);
  assert.equal(at("http://a:1/"), "http://a:1/studio.webmanifest");
  assert.equal(at("https://a/x/studio"), "https://a/x/studio/studio.webmanifest");
  assert.equal(at("https://a/x/?p=1#b"), "https://a/x/studio.webmanifest");
});
