// The colours of rows: each its own, and seen apart.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { inkOf } = load("paint_inks.js");
const inks = Array.from({ length: 200 }, (_, index) => inkOf(index)); // as many rows as the page takes

/** A colour as a point of OKLab, in which distances are as people see them. */
function seen(ink) {
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(ink.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  const [l, m, s] = [
    0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
    0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
    0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
  ].map(Math.cbrt);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
const apart = (one, other) => Math.hypot(...seen(one).map((part, at) => part - seen(other)[at]));

test("no two rows have one colour", () => {
  assert.equal(new Set(inks).size, inks.length);
  for (const ink of inks) assert.match(ink, /^#[0-9a-f]{6}$/);
});

test("the colours of as many rows as people have are told apart", () => {
  inks.slice(0, 24).forEach((ink, index) => {
    for (const other of inks.slice(0, index))
      assert.ok(apart(ink, other) > 0.06, `${ink} ${other}`);
  });
});

test("rows that follow each other have colours far apart", () => {
  inks.forEach((ink, index) => index && assert.ok(apart(ink, inks[index - 1]) > 0.15, `${index}`));
});
