import assert from "node:assert/strict";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("shares.js");
const [cat, dog] = [
  { prompt: "a cat", weight: 3 },
  { prompt: "a dog", weight: 1 },
];

test("rows of the last run are known again by what they hold, in whatever order", () => {
  const rows = studio.rowsOfRun(null);
  rows.begin([cat, dog]);
  assert.deepEqual(plain(rows.find([{ weight: 1, prompt: "a dog" }, cat])), [1, 0]);
  assert.deepEqual(plain(rows.find([cat, cat, { prompt: "new" }])), [0, null, null]);
  const after = studio.rowsOfRun(plain(rows.kept())); // after a reload
  assert.deepEqual(plain(after.find([dog])), [1]);
});

test("a row that was edited is known as it was and as it is", () => {
  const rows = studio.rowsOfRun(null);
  rows.begin([cat]);
  rows.note({ ...cat, weight: 5 }, 0);
  assert.deepEqual(plain(rows.find([{ ...cat, weight: 5 }])), [0]);
  assert.deepEqual(plain(rows.find([cat])), [0]);
  rows.forget();
  assert.deepEqual(plain(rows.find([cat])), [null]);
});

test("two rows alike are two rows", () => {
  const rows = studio.rowsOfRun(null);
  rows.begin([cat, cat]);
  assert.deepEqual(plain(rows.find([cat, cat])), [0, 1]);
});

test("a row that took part is not said to have taken none", () => {
  const { whyNoShare } = load("row/share.js");
  const row = { enabled: true, weight: 7 };
  assert.match(whyNoShare(row, true), /^share not known: .*negative prompt/);
  assert.equal(whyNoShare(row, false), "no share: it took no part");
  assert.match(whyNoShare({ ...row, weight: 0 }, false), /weight is 0/);
});
