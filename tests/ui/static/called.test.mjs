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
  const card = (model, prompt = "") => ({
    row: { model, prompt },
    calls(text) {
      return studio.calledModels(text, MODELS, fits, this.has());
    },
    parts() {
      return studio.modelParts(this.row.model, (id) => MODELS.find((one) => one.id === id)?.kind);
    },
    has() {
      const { lora, loras } = this.parts();
      return [lora, ...loras.map((one) => one.lora)];
    },
  });
  const ink = { lora: "styles/Ink.safetensors", strength: 0.5 };
  const tagged = "a dog, <lora:lora-hero:0.4>";
  const cards = [
    card(null),
    card(null),
    card(ink),
    card("starter/lora-hero"),
    card("a-concept"),
    card(null, tagged),
  ];
  const hero = MODELS[0];
  const others = studio.rowsWithout(cards, cards[0], hero);
  assert.deepEqual(
    others.map((one) => cards.indexOf(one)),
    [1, 2, 5],
  );
  assert.deepEqual(plain(studio.rowsWithout(cards, cards[0], MODELS[3])), []); // a word of a text
  const done = [];
  const stack = { refresh: () => done.push("refresh"), commit: () => done.push("commit") };
  studio.giveCalled(stack, others, { entry: hero, strength: 0.8 });
  assert.deepEqual(plain(cards[1].row.model), { lora: hero.id, strength: 0.8 });
  const both = { ...ink, loras: [{ lora: hero.id, strength: 0.8 }] };
  assert.deepEqual(plain(cards[2].row.model), both);
  assert.equal(cards[4].row.model, "a-concept");
  // What a row's own text says of it holds there, and is no text any more.
  assert.deepEqual(plain(cards[5].row), {
    model: { lora: hero.id, strength: 0.4 },
    prompt: "a dog",
  });
  assert.deepEqual(done, ["refresh", "commit"]);
});

test("the base term gets it too, unless ω is 1 or a row had a LoRA before", () => {
  const parts = (lora = null, loras = []) => ({ parts: () => ({ lora, loras }) });
  const [hero, ink, , word] = MODELS;
  const [plainRow, caller, other] = [parts(), parts(hero.id), parts(ink.id)];
  const base = (cards, entry, omega) => studio.baseWithout(cards, cards[0], entry, omega);
  assert.equal(base([caller], hero, 0), true); // the only row, which has it by now
  assert.equal(base([plainRow], hero, 0), true);
  assert.equal(base([plainRow, caller], hero, 0), false);
  assert.equal(base([caller, other], hero, 0.5), false);
  assert.equal(base([parts(ink.id, [{ lora: hero.id }])], hero, 0), false);
  assert.equal(base([caller], hero, 1), false);
  assert.equal(base([plainRow], word, 0), false);
});

test("what other tools do is done of the rows as they are at the press, and of none that are gone", () => {
  const said = [];
  const fields = { omega: 0 };
  Object.assign(studio, {
    heldFields: () => fields,
    setField: (name, value) => (fields[name] = value),
    toast: (text) => said.push(text),
  });
  const stack = { refresh() {}, commit() {} };
  const card = (model) => ({
    ...{ stack, row: { model, prompt: "" }, calls: () => [] },
    parts() {
      return studio.modelParts(this.row.model, () => "lora");
    },
    has() {
      return [this.parts().lora];
    },
  });
  const [hero] = MODELS;
  stack.cards = [card({ lora: hero.id, strength: 0.8 }), card(null)];
  const [caller] = stack.cards;
  assert.deepEqual(plain(studio.lackingElsewhere(caller, hero).base), true);
  const gone = { ...caller, stack: { ...stack, cards: [card(null)] } };
  studio.giveElsewhere(gone, { entry: hero, strength: 0.8 });
  assert.deepEqual([gone.stack.cards[0].row.model, fields.omega], [null, 0]);
  stack.cards.push(card(null)); // since it was offered
  studio.giveElsewhere(caller, { entry: hero, strength: 0.8 });
  assert.deepEqual(
    stack.cards.map(({ row }) => row.model?.lora),
    [hero.id, hero.id, hero.id],
  );
  assert.equal(fields.omega, 1);
  assert.match(said[0], /base term/);
  studio.giveElsewhere(caller, { entry: hero, strength: 0.8 });
  assert.equal(said.length, 1);
});

test("a tag without a strength begins with the advised one", () => {
  const models = [{ id: "Ink", kind: "lora", advised: 0.6 }];
  const strength = (text) => studio.calledModels(text, models, () => true, [])[0].strength;
  assert.deepEqual([strength("<lora:ink>"), strength("<lora:ink:1>")], [0.6, 1]);
});

test("another LoRA begins with its own strength, unless one was set", () => {
  const advised = { a: 0.4, c: 0.8 };
  const begins = (lora) => advised[lora] ?? 1;
  const nothing = { model: null, loras: [], embeddings: [] };
  const after = (lora, strength, next) =>
    studio.withOtherLora({ ...nothing, lora, strength, text_strength: 0.5 }, next, begins);
  assert.equal(after("a", 0.4, "b").strength, 1);
  assert.equal(after("a", 0.4, "c").strength, 0.8);
  assert.equal(after("b", 0.3, "c").strength, 0.3);
  assert.equal(after(null, 1, "c").strength, 0.8);
  assert.deepEqual(plain(studio.modelOf(after("a", 0.3, "b"))), { lora: "b", strength: 0.3 });
});

test("a LoRA's strength on the text goes with it, and that is said", () => {
  const first = { lora: "a", strength: 1, text_strength: 0.5, loras: [], embeddings: [] };
  const second = { lora: "b", strength: 0.7, text_strength: 0.2 };
  const none = { ...first, lora: null };
  assert.equal(studio.modelOf({ ...none, model: null }), null);
  assert.deepEqual(plain(studio.modelOf({ ...none, loras: [second] })), second);
  assert.deepEqual(plain(studio.lostParts(first, { ...first })), []);
  assert.deepEqual(plain(studio.lostParts({ ...first, embeddings: ["w"] }, none)), [
    "its strength on the text × 0.5",
    "words of w",
  ]);
});
