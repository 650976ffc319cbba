// The wildcards that a prompt names, and what a text file that is dropped may be.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("row/brought.js", "row/wildcard.js");

test("the wildcards of a prompt are those that the studio reads", () => {
  const named = (text) => plain(studio.wildcardsIn(text));
  assert.deepEqual(named("a __hat__ and a __cloak/red-1__, __hat__"), ["hat", "cloak/red-1"]);
  assert.deepEqual(named("{__größe__|b}"), ["größe"]);
  for (const none of ["a __b c__", "a__b__c", "\\__hat__", "__a*__", "____", "plain"])
    assert.deepEqual(named(none), [], none);
});

test("a file of choices has a name that a prompt can say", () => {
  assert.equal(studio.wildcardName("My list (2).txt"), "My-list-2");
  assert.equal(studio.wildcardName("été.txt"), "été");
  assert.equal(studio.wildcardName("...txt"), "");
  for (const name of ["My-list-2", "été"])
    assert.deepEqual(plain(studio.wildcardsIn(`__${name}__`)), [name]);
});

test("lines are those of a text that is nothing else", async () => {
  const file = (name, text) => ({ name, size: text.length, text: async () => text });
  const lines = async (name, text) => plain(await studio.linesIn(file(name, text)));
  assert.deepEqual(await lines("a.txt", "one\r\n\r\ntwo\n"), ["one", "two"]);
  assert.equal(await lines("styles.csv", "name,prompt"), null);
  assert.equal(await lines("a.txt", " \n"), null);
  assert.equal(await lines("a.txt", "a cat\nSteps: 20, Sampler: Euler, Seed: 1"), null);
  assert.equal(await lines("a.txt", '{"rows": []}'), null);
});
