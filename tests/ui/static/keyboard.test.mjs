// Where the keyboard is after what it pressed has gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const path = fileURLToPath(new URL("../../../studio/ui/static/keyboard.js", import.meta.url));
const window = { studio: {} };
const document = { addEventListener: () => {} };
vm.runInContext(readFileSync(path, "utf8"), vm.createContext({ window, document }));
const { placeAfter } = window.studio;
const all = ["before", "pressed", "its own", "next", "last"];
const live =
  (...gone) =>
  (one) =>
    gone.includes(one) ? null : one;

test("what follows has the keyboard, else what stood before", () => {
  assert.equal(placeAfter("pressed", all, live("pressed", "its own")), "next");
  assert.equal(placeAfter("pressed", all, live("pressed", "its own", "next", "last")), "before");
  assert.equal(placeAfter("pressed", all, live(...all)), null);
});

test("a button of the same line comes first", () => {
  const line = (one) => one === "last";
  assert.equal(placeAfter("pressed", all, live("pressed"), line), "last");
});
