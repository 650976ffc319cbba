import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

const script = readFileSync(new URL("../../../studio/ui/static/ahead.js", import.meta.url), "utf8");

function pageWith(studio) {
  const asked = [];
  const copied = [];
  const window = {
    studio,
    requestAnimationFrame: (step) => asked.push(step),
    structuredClone: (...given) => {
      copied.push(given[0]);
      return structuredClone(...given);
    },
  };
  vm.runInNewContext(script, { window });
  return { window, asked, copied };
}

test("values that cannot change are not copied, all others as before", () => {
  const { window, copied } = pageWith();
  const fixed = ["a word", "", 7, NaN, true, null, undefined, 12n];
  for (const value of fixed) assert.ok(Object.is(window.structuredClone(value), value));
  assert.equal(copied.length, 0);
  const shared = { deep: [1, new Date(5), new Map([["a", { b: 2 }]])] };
  const copy = window.structuredClone(shared);
  assert.deepEqual(copy, shared);
  assert.notEqual(copy.deep, shared.deep);
  const buffer = new ArrayBuffer(4);
  window.structuredClone(5, { transfer: [buffer] });
  assert.equal(buffer.byteLength, 0);
  assert.throws(() => window.structuredClone(), TypeError);
});

test("what has no copy is refused as the browser refuses it", () => {
  const { window, copied } = pageWith();
  for (let i = 0; i < 3; i++) {
    assert.throws(() => window.structuredClone(() => 1), { name: "DataCloneError" });
  }
  assert.equal(copied.length, 1);
  for (const value of [Symbol("s"), { f() {} }]) {
    assert.throws(() => window.structuredClone(value), { name: "DataCloneError" });
  }
});

test("a sign of loading that was taken away asks for no frame on a page that is filled", () => {
  let filled = false;
  const { window, asked } = pageWith({ isFilled: () => filled });
  const sign = () => (performance.now() - 1) / 1e3;
  const other = () => performance.now();
  window.requestAnimationFrame(sign);
  filled = true;
  assert.equal(window.requestAnimationFrame(sign), 0);
  window.requestAnimationFrame(other);
  assert.deepEqual(asked, [sign, other]);
});
