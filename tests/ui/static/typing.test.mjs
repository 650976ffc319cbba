// What is said of a prompt while one types it, and what only once it is finished.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("numbers.js", "row/prompt_text.js");
studio.served = {};

test("what only a finished text shows is said once it is, and makes no word strange", () => {
  studio.served.hints = [
    ["\\{[^{}|]*\\|[^{}]*$", "never closed", true],
    ["<x>", "a tag", false],
  ];
  const text = "<x> {red|blue";
  assert.deepEqual([...studio.foreignHints(text)], ["never closed.", "a tag."]);
  assert.deepEqual([...studio.foreignHints(text, ["a tag."])], ["a tag."]); // one types
  assert.equal(studio.foreignHints(text, ["never closed."]).length, 2); // it does not come and go
  const known = { phrases: ["blue"], words: [], quiet: [] };
  const strange = studio.unknownWords("{red|blue car", known).map(({ word }) => word);
  assert.deepEqual([...strange], ["red", "car"]);
});

test("a variable's name is no word of the prompt", () => {
  studio.served.hints = [];
  const known = { phrases: ["cat", "red", "blue"], words: [], quiet: ["a"] };
  const strange = studio.unknownWords("${col=!{red|blue}} a ${col} cat ${hue:azure}", known);
  assert.deepEqual(plain(strange.map(({ word }) => word)), ["azure"]);
});

test("brackets of weights that find no other are told, once one has stopped typing", () => {
  studio.served.hints = [];
  const said = (text) => studio.foreignHints(text).map((line) => line.slice(0, 12));
  assert.deepEqual(plain(said("a (cat")), ["“(” is never"]);
  assert.deepEqual(plain(said("a ((cat:1.3) [dog")), ["“(” is never", "“[” is never"]);
  assert.deepEqual(plain(said("a cat:1.2) b")), ["“)” closes n"]);
  for (const text of ["a (cat:1.2), [owl]", "\\(cat", "a :( face", "1) cat", "[a (b:1.1):0.5]"])
    assert.deepEqual(plain(said(text)), [], text);
  assert.deepEqual(plain(studio.foreignHints("a (cat", [])), []); // one types
});

test("one types until the field is left, or until a while after the last letter", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let done = 0;
  const typing = load("row/prompt_text.js").typingOf(() => (done += 1));
  typing.left();
  assert.equal(done, 0); // nobody typed
  for (const _ of "{red|blue}") {
    typing.typed();
    t.mock.timers.tick(1000);
    assert.equal(typing.now(), true);
  }
  t.mock.timers.tick(1000);
  assert.deepEqual([done, typing.now()], [1, false]);
  typing.typed();
  typing.left();
  t.mock.timers.tick(9000);
  assert.deepEqual([done, typing.now()], [2, false]);
});

test("words that call a LoRA, written as a list, are known one by one in its rows", () => {
  const learned = studio.learnedWords(["blob, wobbly thing", "", undefined, "blob", "<hero>,"]);
  assert.deepEqual(plain(learned), ["blob", "wobbly thing", "<hero>"]);
  const known = { phrases: ["car"], words: ["a"], quiet: [] };
  const strange = studio.unknownWords("a blob, a wobbly thing, a car", known, learned);
  assert.deepEqual(plain(strange.map(({ word }) => word)), []);
});
