// The stage: what stands where no picture is yet.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../../../studio/ui/static/stage.js", import.meta.url));

test("nobody is asked to press Generate while the picture is being made", () => {
  const window = { studio: {} };
  const document = { addEventListener: () => {} };
  vm.runInContext(readFileSync(path, "utf8"), vm.createContext({ window, document }));
  assert.match(window.studio.stageHint(undefined), /Press Generate/);
  assert.doesNotMatch(window.studio.stageHint("running"), /Press Generate/);
});
