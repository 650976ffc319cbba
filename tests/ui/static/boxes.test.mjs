// A box for a number beside the form: what is typed stands as long as the form holds the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = ["numbers.js", "fields.js"]
  .map((name) => fileURLToPath(new URL(`../../../studio/ui/static/${name}`, import.meta.url)))
  .map((path) => readFileSync(path, "utf8"))
  .join("\n");

/** A box of a field, and what a person does with it. */
function boxOf(field) {
  const el = (tag, attributes) => ({ ...attributes, setAttribute() {}, removeAttribute() {} });
  const window = { studio: { el } };
  const document = { activeElement: null };
  vm.runInContext(source, vm.createContext({ window, document }));
  const editor = window.studio.numberEditor({ field, label: "Weight", changed() {} });
  editor.box.value = "";
  editor.type = (text) => {
    document.activeElement = editor.box;
    editor.box.value = text;
    editor.box.oninput();
    editor.read(editor.write()); // as the page does with every change
    assert.equal(editor.box.value, text);
  };
  editor.leave = () => {
    document.activeElement = null;
    editor.box.onchange();
  };
  return editor;
}

for (const [kind, text, next] of [
  ["number", "1,000", 1],
  ["integer", "4.000", 4],
])
  test(`a ${kind} that is set takes the place of ${text}, which may be it or a thousand`, () => {
    for (const leaves of [true, false]) {
      const editor = boxOf({ kind, low: 0, high: 100 });
      editor.type(text);
      if (leaves) editor.leave();
      assert.equal(editor.box.value, text);
      editor.read(next);
      assert.equal(editor.box.value, String(next));
      assert.equal(editor.write(), next);
    }
  });

test("a number that stands in its box in other words stays so while it is typed", () => {
  const editor = boxOf({ kind: "number", low: 0, high: 100 });
  editor.type("1,50");
  assert.equal(editor.write(), 1.5);
  editor.leave();
  assert.equal(editor.box.value, "1.5");
  editor.type("500"); // out of its bounds: it stands, and is said
  editor.leave();
  assert.equal(editor.box.value, "500");
});
