// Completion by tags of a person's own lists.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("row/tags.js");

test("a tag begins behind a comma or a bracket, and not inside a word", () => {
  const begun = (text) => plain(studio.tagBegun(text.replace("|", ""), text.indexOf("|")));
  assert.deepEqual(begun("a cat, top h|"), { start: 7, typed: "top h" });
  assert.deepEqual(begun("(hat|:1.2)"), { start: 1, typed: "hat" });
  assert.deepEqual(begun("miku \\(cos|"), { start: 0, typed: "miku \\(cos" });
  for (const text of ["a|", "a cat, |", "ha|t", "<lora:x|y"]) assert.equal(begun(text), null, text);
});

test("lists that are not there are not asked for at every key; a problem is told once", async () => {
  let now = 0;
  const asked = [];
  const told = [];
  const answers = [
    {
      tags: [
        ["hat", ""],
        ["hatsune miku", "hat girl"],
      ],
      none: false,
      problem: "no",
    },
    { tags: [], none: true, problem: "no" },
  ];
  const ask = async ({ typed }) =>
    asked.push(typed) && (answers[asked.length - 1] ?? Promise.reject(new Error("gone")));
  const tags = studio.tagsOf(
    ask,
    (text) => told.push(text),
    () => now,
  );
  assert.deepEqual(plain(await tags.complete("hat", 3)), {
    start: 0,
    options: [{ name: "hat girl", text: "hatsune miku" }],
    begun: false, // it is a tag as it is
  });
  assert.equal(await tags.complete("hats", 4), null);
  assert.equal(await tags.complete("hatst", 5), null);
  assert.deepEqual([asked, told], [["hat", "hats"], ["no"]]);
  now = 31000;
  assert.equal(await tags.complete("hatst", 5), null); // an answer that fails
  tags.again();
  await tags.complete("hat", 3);
  assert.equal(asked.length, 4);
});

test("a colon is a tag's own, but where a weight or another text follows it", () => {
  const begun = (text) => plain(studio.tagBegun(text, text.length))?.typed ?? null;
  const cases = {
    "a cat, re:ze": "re:ze",
    "(re:ze": "re:ze",
    "(hat, re:zero": "re:zero",
    "(hat:1.2), nier:au": "nier:au",
    "\\(re:1": "\\(re:1",
    ":3": ":3",
    "[cat:do": "do",
    "[a cat, dog:ha": "ha",
    "<random:a, ha": "ha",
    "<random:ha": "ha",
    "{0.7::ha": "ha",
    "{2$$ha": "ha",
    "a cat AND hat": "hat",
    "a cat BREAK top h": "top h",
    "BRAND new": "BRAND new",
    "\\m/": "\\m/",
    "(hat:": null,
    "(hat:1.": null,
    "(hat, cap:1": null,
    "[cat:dog:0": null,
  };
  for (const [text, typed] of Object.entries(cases)) assert.equal(begun(text), typed, text);
});

test("one is asked at a time, after a pause, and of what waits the last alone", async () => {
  const asked = [];
  const answers = [];
  const ask = ({ typed }) => (asked.push(typed), new Promise((done) => answers.push(done)));
  const pauses = [];
  const pause = (ms) => (assert.ok(ms >= 100), new Promise((done) => pauses.push(done)));
  const told = [];
  const tags = studio.tagsOf(ask, (text) => told.push(text), Date.now, pause);
  const settle = () => new Promise((done) => setTimeout(done));
  const type = (text) => tags.complete(text, text.length);
  const pass = async () => {
    for (const done of pauses.splice(0)) done();
    await settle();
  };
  const first = [type("ha"), type("hat")];
  assert.deepEqual(asked, []);
  await pass();
  assert.deepEqual(asked, ["hat"]);
  const more = [type("hats"), type("hatsu")];
  await pass();
  more.push(type("hatsun"));
  await pass();
  assert.deepEqual(asked, ["hat"]);
  answers[0]({ tags: [["hat stand", ""]], problem: "one\ntwo" });
  assert.deepEqual(plain(await Promise.all(first)), [
    null,
    { start: 0, options: ["hat stand"], begun: true },
  ]);
  await settle();
  assert.deepEqual(asked, ["hat", "hatsun"]);
  answers[1]({ tags: [["hatsune miku", ""]], problem: "two" });
  const options = ["hatsune miku"];
  assert.deepEqual(plain(await Promise.all(more)), [
    null,
    null,
    { start: 0, options, begun: true },
  ]);
  assert.deepEqual(told, ["one", "two"]);
  const dropped = type("hat");
  await type("hat, ");
  await pass();
  assert.equal(await dropped, null);
  assert.equal(asked.length, 2);
});
