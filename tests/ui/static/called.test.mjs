// Models that a prompt calls as other tools read them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("row/called.js", "row/model_parts.js");
studio.served = { adapters: ["lora", "lycoris"] };
const MODELS = [
  { id: "starter/lora-hero", kind: "lora", trigger: "hero" },
  { id: "styles/Ink.safetensors", kind: "lora" },
  { id: "for-another", kind: "lora" },
  { id: "starter/word-hero", kind: "embedding", trigger: "<hero>" },
  { id: "EasyNegative", kind: "embedding", trigger: "EasyNegative" },
  { id: "starter", kind: "base" },
];
const fits = ({ id }) => id !== "for-another";
const called = (text, has = []) =>
  plain(studio.calledModels(text, MODELS, fits, has)).map(({ entry, ...one }) => ({
    id: entry?.id ?? null,
    ...one,
  }));

test("a LoRA's tag is found by the name of its file, and is taken out of the text", () => {
  assert.deepEqual(called("a cat <lora:lora-hero:0.8>, at night"), [
    {
      said: "<lora:lora-hero:0.8>",
      id: "starter/lora-hero",
      strength: 0.8,
      prompt: "a cat, at night",
    },
  ]);
  const prompts = (text) => called(text).map(({ prompt, strength }) => [prompt, strength]);
  assert.deepEqual(prompts("<lora:ink>, a cat"), [["a cat", 1]]);
  assert.deepEqual(prompts("a cat, <lyco:INK:-1:0.5>"), [["a cat", -1]]);
  assert.deepEqual(prompts("a <lora:ink:1> cat"), [["a cat", 1]]);
  assert.deepEqual(prompts("<lora:ink:0>"), [["", 0]]);
  assert.deepEqual(prompts("<lora:ink:.5>"), [["", 0.5]]);
  assert.deepEqual(prompts("<lora:ink:1.5.2>"), [["", 1]]); // no strength
  assert.equal(called("a cat, embedding:EasyNegative.")[0].prompt, "a cat, EasyNegative.");
});

test("a LoRA that is not here, or is for another base, is named; one that a row has is not", () => {
  const ids = (text, has) => called(text, has).map(({ id }) => id);
  assert.deepEqual(ids("<lora:nobody:1> <lora:for-another:1>"), [null, null]);
  assert.deepEqual(ids("<lora:ink:1>", ["styles/Ink.safetensors"]), []);
  assert.deepEqual(ids("<lora:ink:1> <lora:ink:0.5>"), ["styles/Ink.safetensors"]);
  assert.deepEqual(ids("<lora:half"), []);
});

test("an embedding is called by its word alone, and by ComfyUI's prefix", () => {
  assert.deepEqual(called("bad, EasyNegative, (<hero>:1.2)"), [
    { said: "<hero>", id: "starter/word-hero", prompt: "bad, EasyNegative, (<hero>:1.2)" },
    { said: "EasyNegative", id: "EasyNegative", prompt: "bad, EasyNegative, (<hero>:1.2)" },
  ]);
  assert.deepEqual(called("(embedding:word-hero:1.2) runs"), [
    { said: "embedding:word-hero", id: "starter/word-hero", prompt: "(<hero>:1.2) runs" },
  ]);
  assert.deepEqual(called("EasyNegatives and NotEasyNegative"), []);
});

test("a LoRA begins with the strength that is advised for it, unless one is typed", () => {
  assert.equal(studio.advisedFor({ advised: 0.7 }), 0.7);
  assert.equal(studio.advisedFor(undefined), 1);
  assert.equal(studio.strengthOf("", { advised: 0.7 }), 0.7);
  assert.equal(studio.strengthOf(":0.4>", { advised: 0.7 }), 0.4);
  assert.equal(studio.strengthOf(">", {}), 1);
});

test("a row gets it beside what it has", () => {
  const parts = { model: null, lora: null, strength: 1, loras: [], embeddings: [] };
  const [hero, , , word] = MODELS;
  const one = studio.withCalled(parts, { entry: hero, strength: 0.8 });
  assert.deepEqual(plain([one.lora, one.strength]), [hero.id, 0.8]);
  const two = studio.withCalled(one, { entry: MODELS[1], strength: 0.5 });
  assert.deepEqual(plain(two.loras), [{ lora: MODELS[1].id, strength: 0.5 }]);
  assert.deepEqual(plain(studio.withCalled(two, { entry: word }).embeddings), [word.id]);
});

test("other rows on the same network get it too, once, whatever else they have", () => {
  const card = (model) => ({
    row: { model },
    parts() {
      return studio.modelParts(this.row.model, (id) => MODELS.find((one) => one.id === id)?.kind);
    },
    has() {
      const { lora, loras } = this.parts();
      return [lora, ...loras.map((one) => one.lora)];
    },
  });
  const ink = { lora: "styles/Ink.safetensors", strength: 0.5 };
  const cards = [card(null), card(null), card(ink), card("starter/lora-hero"), card("a-concept")];
  const hero = MODELS[0];
  const others = studio.rowsWithout(cards, cards[0], hero);
  assert.deepEqual(
    others.map((one) => cards.indexOf(one)),
    [1, 2],
  );
  assert.deepEqual(plain(studio.rowsWithout(cards, cards[0], MODELS[3])), []); // a word of a text
  const done = [];
  const stack = { refresh: () => done.push("refresh"), commit: () => done.push("commit") };
  studio.giveCalled(stack, others, { entry: hero, strength: 0.8 });
  assert.deepEqual(plain(cards[1].row.model), { lora: hero.id, strength: 0.8 });
  const both = { ...ink, loras: [{ lora: hero.id, strength: 0.8 }] };
  assert.deepEqual(plain(cards[2].row.model), both);
  assert.equal(cards[4].row.model, "a-concept");
  assert.deepEqual(done, ["refresh", "commit"]);
});
