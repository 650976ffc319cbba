// What prompts write between marks, completed while one types.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("row/called.js", "row/marked.js");
studio.served = { adapters: ["lora", "lycoris"] };
const MODELS = [
  { id: "starter/lora-hero", kind: "lora", title: "The hero (LoRA)" },
  { id: "styles/ink", kind: "lycoris", title: "" },
  { id: "EasyNegative", kind: "embedding", title: "" },
  { id: "sd15", kind: "base", title: "" },
];
const known = {
  wildcards: ["hat", "my_hat", "things/deep", "größe"],
  models: (kinds) => MODELS.filter(({ kind }) => kinds.includes(kind)),
};
/** Completed at `|`: what each option makes of the text, or the id of the model. */
function completed(text) {
  const caret = text.indexOf("|");
  const whole = text.replace("|", "");
  const found = studio.markedCompletions(whole, caret, known);
  return plain(
    found?.options.map((one) =>
      one.entry ? one.entry.id : whole.slice(0, found.start) + one + whole.slice(found.end),
    ),
  );
}

test("a wildcard is completed from two underscores on, and not once it is closed", () => {
  assert.deepEqual(completed("a __|"), [
    "a __hat__",
    "a __my_hat__",
    "a __things/deep__",
    "a __größe__",
  ]);
  assert.deepEqual(completed("a __HA|"), ["a __hat__", "a __my_hat__"]); // first what begins so
  assert.deepEqual(completed("a __gr|, b"), ["a __größe__, b"]);
  assert.deepEqual(completed("a __my_|__ b"), ["a __my_hat__ b"]); // its end is there already
  assert.deepEqual(completed("__hat__ and __th|"), ["__hat__ and __things/deep__"]);
  for (const none of ["a __hat__|", "a _ha|", "a \\__ha|", "a __xy|", "a __h|at__", "a cat|"])
    assert.equal(completed(none), null, none);
});

test("a tag is completed by the name of the file, the id or the title of what a row can have", () => {
  assert.deepEqual(completed("a cat <lora:|"), ["starter/lora-hero", "styles/ink"]);
  assert.deepEqual(completed("<LORA:in|"), ["styles/ink"]);
  assert.deepEqual(completed("<lyco:the h|:0.8> b"), ["starter/lora-hero"]);
  assert.deepEqual(completed("embedding:easy|"), ["EasyNegative"]);
  for (const none of ["<lora:ink:|", "<lora:ink>|", "<lora:sd|", "< lora:|"])
    assert.equal(completed(none), null, none);
});

test("of what is completed the whole tag goes", () => {
  const text = "a cat, <lora:in:0.8>, b";
  const { start, end } = studio.markedCompletions(text, 15, known);
  assert.equal(studio.withoutPart(text, start, end), "a cat, b");
});

test("a tag that is completed keeps the strength that it says", () => {
  const strength = (text) => {
    const caret = text.indexOf("|");
    return studio.markedCompletions(text.replace("|", ""), caret, known).options[0].strength;
  };
  assert.equal(strength("<lora:in|:0.6>"), 0.6);
  assert.equal(strength("<lora:in|:-.5:0.2> x"), -0.5);
  for (const one of ["<lora:in|>", "<lora:in|", "<lora:in|:much>"]) assert.equal(strength(one), 1);
});

test("the names of wildcards are asked for again after a while, and stay where none come", async () => {
  let now = 0;
  const answers = [{ names: ["a"] }, { names: ["a", "b"] }];
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (!answers.length) throw new Error("away");
    return answers.shift();
  };
  const kept = studio.wildcardsOf(ask, () => now);
  for (const [time, names, count, news] of [
    [0, ["a"], 1, true],
    [1000, ["a"], 1, false],
    [9000, ["a", "b"], 2, true],
    [99_000, ["a", "b"], 3, false],
  ]) {
    now = time;
    assert.equal(await kept.look(), news);
    assert.deepEqual([plain(kept.names()), asked], [names, count]);
  }
});
