import assert from "node:assert/strict";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("numbers.js");
const STEPS = { kind: "integer", low: 1, high: 200 };

test("a comma is a decimal point, never left out", () => {
  assert.equal(studio.parseNumber("5,5"), 5.5);
  assert.equal(studio.parseNumber("-0,25"), -0.25);
  assert.equal(studio.parseNumber("−3"), -3);
  assert.equal(studio.parseNumber("1e3"), 1000);
  for (const zero of ["0", "-0.0", "0e9", "0e-400"])
    assert.equal(studio.parseNumber(zero), 0 * Number(zero));
  for (const lost of ["1e-400", "0.01e-330"]) assert.ok(Number.isNaN(studio.parseNumber(lost)));
  assert.equal(studio.parseNumber(""), null);
  for (const text of ["1,2,3", "1.2,3", "abc", "5 5", "--1", "0x10"])
    assert.ok(Number.isNaN(studio.parseNumber(text)), text);
});

test("digits of other keyboards are digits", () => {
  assert.equal(studio.parseNumber("٢٠"), 20);
  assert.equal(studio.parseNumber("\u200f٥٫٥"), 5.5);
  assert.equal(studio.parseNumber("۷"), 7);
  assert.equal(studio.parseNumber("－１２．５"), -12.5);
  assert.deepEqual(plain(studio.checkNumber(STEPS, "٥٠٠")), {
    value: 500,
    error: "٥٠٠: a whole number from 1 to 200",
  });
  assert.ok(Number.isNaN(studio.parseNumber("٢٬٠٠٠"))); // a sign of thousands
});

test("what may be thousands or decimals is no number", () => {
  assert.deepEqual(plain(studio.checkNumber(STEPS, " 1,000 ")), {
    value: "1,000",
    error: "“1,000” may be 1000 or 1: write one of them",
  });
  assert.match(studio.checkNumber(STEPS, "1.250").error, /may be 1250 or 1.25:/);
  const weight = { kind: "number", low: -1000, high: 1000 };
  assert.match(studio.checkNumber(weight, "−2,500").error, /may be −2500 or −2.5:/);
  for (const [text, value] of [
    ["2.500", 2.5],
    ["0,125", 0.125],
    ["1,25", 1.25],
    ["1e3", 1000],
  ])
    assert.deepEqual(plain(studio.checkNumber(weight, text)), { value, error: "" });
});

test("what is out of range keeps its value and says what is allowed", () => {
  assert.deepEqual(plain(studio.checkNumber(STEPS, "500")), {
    value: 500,
    error: "500: a whole number from 1 to 200",
  });
  assert.equal(studio.checkNumber(STEPS, "200").error, "");
  assert.match(studio.checkNumber(STEPS, "2.5").error, /whole number/);
  assert.match(studio.checkNumber(STEPS, "abc").error, /“abc” is no number/);
  // Of a text that was pasted by mistake no more than a line holds.
  const [words, digits] = ["a word ".repeat(999), "9".repeat(999)];
  assert.match(studio.checkNumber(STEPS, words).error, /^“(a word ){5}a wo…” is no number;/);
  assert.match(studio.checkNumber(STEPS, "9".repeat(200)).error, /^9{39}…: a whole number/);
  assert.match(studio.checkNumber(STEPS, digits).error, /^“9{39}…” is no number;/);
  assert.equal(studio.checkNumber(STEPS, words).value, words);
  assert.equal(studio.checkNumber(STEPS, "abc").value, "abc");
});

test("a whole number that a script cannot hold stays its own text", () => {
  const seed = { kind: "integer", low: -1, high: 9007199254740991 };
  const { value, error } = studio.checkNumber(seed, "9007199254740993");
  assert.equal(value, "9007199254740993");
  assert.match(error, /^9007199254740993: a whole number from −1/);
  assert.equal(studio.checkNumber(seed, "9007199254740991").value, 9007199254740991);
});

test("an empty box is nothing where that is allowed, else it says what it needs", () => {
  assert.deepEqual(plain(studio.checkNumber({ ...STEPS, nullable: true }, "")), {
    value: null,
    error: "",
  });
  assert.match(studio.checkNumber(STEPS, "").error, /^needs a whole number/);
});

test("open bounds exclude their ends", () => {
  const field = { kind: "number", above: -1, below: 1 };
  assert.equal(studio.checkNumber(field, "0.99").error, "");
  assert.equal(studio.checkNumber(field, "1").error, "1: above −1 and below 1");
});

test("bounds are read from a JSON Schema, whatever wraps them", () => {
  const schema = { anyOf: [{ type: "integer", minimum: 16, maximum: 4096 }, { type: "null" }] };
  assert.deepEqual(plain(studio.bounds(schema)), {
    kind: "integer",
    low: 16,
    high: 4096,
    nullable: true,
  });
  const open = studio.bounds({ type: "number", exclusiveMinimum: 0, default: 0.75 });
  assert.deepEqual(plain(open), { kind: "number", above: 0, default: 0.75, nullable: false });
});

test("arrow keys stop at the bounds and keep tenths tidy", () => {
  assert.equal(studio.stepped(STEPS, 200, 1, 1), 200);
  assert.equal(studio.stepped({ low: 0 }, 0.1, 0.2, 1), 0.3);
  assert.equal(studio.stepped({ ...STEPS, default: 25 }, NaN, 1, 1), 26);
});

test("numbers are written as they are, seeds included", () => {
  assert.equal(studio.numberText(9007199254740991), "9007199254740991");
  assert.equal(studio.numberText(0.1 + 0.2), "0.3");
  assert.equal(studio.numberText(1.23456789012), "1.23456789012");
  assert.equal(studio.numberText(null), "");
  assert.equal(studio.numberText("5,"), "5,");
});
