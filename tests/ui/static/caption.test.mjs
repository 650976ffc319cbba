// A picture in words: what has to be fetched for it is said before it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const path = fileURLToPath(new URL("../../../studio/ui/static/caption.js", import.meta.url));
const source = readFileSync(path, "utf8");

/** What is said, asked and shown for these answers of the server, one after the other. */
async function said(...answers) {
  const seen = { toasts: [], fetch: [], shown: [] };
  const studio = {
    el: (tag, attributes, text) => text,
    toast: (text) => seen.toasts.push(text),
    askChoice: (title, text) => seen.shown.push(text),
    stack: {
      cards: [],
      images: {
        captionOf: async (file, fetch = false) => {
          seen.fetch.push(fetch);
          return answers.shift();
        },
      },
    },
  };
  vm.runInContext(source, vm.createContext({ window: { studio } }));
  await studio.captionPicture({}, () => "");
  return seen;
}

test("what is here is asked once", async () => {
  const seen = await said({ text: "a cat" });
  assert.deepEqual(seen.fetch, [false]);
  assert.deepEqual(seen.shown, ["a cat"]);
});

test("what is fetched is said with its size", async () => {
  const seen = await said({ fetches: "1.6 GB" }, { text: "a cat" });
  assert.deepEqual(seen.fetch, [false, true]);
  assert.match(seen.toasts[1], /fetched first .*1\.6 GB/);
  assert.deepEqual(seen.shown, ["a cat"]);
});
