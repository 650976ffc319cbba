// Where the page's manifest lies: beside the page, under whatever path a proxy has put it.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../../../studio/ui/static/page.js", import.meta.url));

test("the manifest lies beside the page", () => {
  const nothing = () => {};
  const studio = { el: nothing, on: nothing };
  const window = { studio, fetch: nothing, matchMedia: () => ({}) };
  const document = { addEventListener: nothing, body: null };
  vm.runInContext(readFileSync(path, "utf8"), vm.createContext({ window, document, URL }));
  const at = (place) => studio.manifestAt(place);
  assert.equal(at("http://a:1/"), "http://a:1/studio.webmanifest");
  assert.equal(at("https://a/x/studio"), "https://a/x/studio/studio.webmanifest");
  assert.equal(at("https://a/x/?p=1#b"), "https://a/x/studio.webmanifest");
});
