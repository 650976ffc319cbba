// The stage: what stands where no picture is yet, and the button of an unfinished one.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../../../studio/ui/static/stage.js", import.meta.url));

/** The script with elements that are objects. */
function stage() {
  const el = (_tag, attributes, ...children) => ({ ...attributes, textContent: children.join("") });
  const window = { studio: { el } };
  const document = { addEventListener: () => {} };
  vm.runInContext(readFileSync(path, "utf8"), vm.createContext({ window, document }));
  return window.studio;
}

test("Kept is said once the server has kept it, and a refused one can be pressed again", () => {
  const studio = stage();
  const sent = [];
  const [first, second] = [0, 1].map((unfinished) =>
    studio.keepButton({ unfinished }, (_name, { index }) => sent.push(index)),
  );
  first.onclick();
  second.onclick();
  const states = () => [first, second].map(({ textContent, disabled }) => [textContent, disabled]);
  assert.deepEqual(states(), [
    ["Keep", true],
    ["Keep", true],
  ]);
  studio.keepAnswered({ asked: 1, kept: [1] });
  assert.deepEqual(states(), [
    ["Keep", true],
    ["Kept", true],
  ]);
  studio.keepAnswered({ asked: 0, kept: [1] });
  assert.deepEqual(states(), [
    ["Keep", false],
    ["Kept", true],
  ]);
  first.onclick();
  studio.keepAnswered({ asked: 0, kept: [0, 1] });
  assert.deepEqual(states()[0], ["Kept", true]);
  assert.deepEqual(sent, [0, 1, 0]);
  const before = studio.keepButton({ unfinished: 2, kept: true }); // of a page loaded anew
  assert.deepEqual([before.textContent, before.disabled], ["Kept", true]);
});

test("nobody is asked to press Generate while the picture is being made", () => {
  const studio = stage();
  assert.match(studio.stageHint(undefined), /Press Generate/);
  assert.doesNotMatch(studio.stageHint("running"), /Press Generate/);
});
