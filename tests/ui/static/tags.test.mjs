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
