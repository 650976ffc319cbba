// The keys of an enlarged picture.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadIn } from "./load.mjs";

test("1 shows own pixels however near one is, and beside Ctrl is the browser's", () => {
  const shown = [];
  let dialog = null;
  let scale = 1;
  const el = (_, given) => ({
    ...given,
    ...{ replaceChildren() {}, setAttribute() {}, showModal() {}, style: {} },
  });
  const given = {
    ...{ el, button: () => ({ setAttribute() {} }), word: () => ({}), stops() {} },
    ...{ address: () => "", marksNode: () => null, along: (key) => key, markByKey: () => false },
    ...{ ownPixels: () => 3, zoomAt: (_, factor) => ({ scale: factor, x: 0, y: 0 }) },
    zooming: () => ({
      view: () => ({ scale }),
      set: (view) => shown.push((scale = view.scale)),
      key: () => false,
    }),
  };
  const page = { body: { append: (node) => (dialog = node) }, addEventListener() {} };
  const studio = loadIn({ document: page, devicePixelRatio: 1 }, given, "lightbox.js");
  studio.lightbox([{ id: "a" }]);
  let refused = 0;
  const press = (more) =>
    dialog.onkeydown({ key: "1", ...more, preventDefault: () => (refused += 1) });
  for (const held of ["ctrlKey", "metaKey", "altKey"]) press({ [held]: true });
  assert.deepEqual([shown, refused], [[], 0]);
  press();
  press();
  assert.deepEqual([shown, refused], [[3, 3], 2]);
});
