// The size that a base makes follows the autoencoder that decodes it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

test("a decoder of more pixels makes larger pictures of the same latents", () => {
  const file = fileURLToPath(new URL("../../../studio/ui/static/row/models.js", import.meta.url));
  const window = { studio: {} };
  vm.runInContext(readFileSync(file, "utf8"), vm.createContext({ window }));
  const { nativeSize } = window.studio;
  const base = { size: 128, factor: 8 };
  assert.equal(nativeSize(base, undefined), 128);
  assert.equal(nativeSize(base, { size: 128, factor: 16 }), 256);
  assert.equal(nativeSize(undefined, undefined), undefined);
});
