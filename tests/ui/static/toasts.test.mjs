// Lines that can be taken back: by their own button, or by the key while nothing came after them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const path = fileURLToPath(new URL("../../../studio/ui/static/toasts.js", import.meta.url));
const source = readFileSync(path, "utf8");

function node() {
  return { append() {}, remove() {}, addEventListener() {}, contains: () => false };
}

function loaded() {
  const studio = { el: node, word: node };
  const document = { ...node(), querySelectorAll: () => [], body: node() };
  vm.runInContext(
    source,
    vm.createContext({ window: { studio }, document, setTimeout() {}, Date }),
  );
  return studio;
}

test("the newest comes back first, once, and none that is older than the form's last step", () => {
  const studio = loaded();
  const back = [];
  const close = studio.undoable("1 picture removed", () => back.push("one"));
  studio.undoable("2 pictures removed", () => back.push("two"));
  assert.equal(studio.takeBack(Date.now() + 1), false); // the form has changed since
  assert.equal(studio.takeBack(0), true);
  assert.deepEqual(back, ["two"]);
  close();
  assert.equal(studio.takeBack(0), false);
  assert.deepEqual(back, ["two"]);
});
