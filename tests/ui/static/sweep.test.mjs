// A sweep's axes: the list, values to begin with, words; and which cell lies beside which.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, loadBeside, plain } from "./load.mjs";

const studio = load("numbers.js", "sweep/axes.js");
const around = (field, value) => studio.valuesAround(field, value);

/** What offers the fields to vary, on a page that has this. */
const besides = (here) =>
  loadBeside(here, "numbers.js", "row/control_choices.js", "sweep/axes.js", "sweep/fields.js");

test("an empty box shows how its field's values are written", () => {
  const choices = [
    ["ddim", "DDIM"],
    ["euler", "Euler"],
    ["lms", "LMS"],
  ];
  assert.equal(studio.valuesHint({ kind: "choice", choices }), "ddim, euler");
  assert.equal(studio.valuesHint({ kind: "boolean" }), "false, true");
  assert.equal(studio.valuesHint({ kind: "text" }), "One a line");
  assert.equal(studio.valuesHint({ kind: "number" }), "0, 0.5, 1 or 0:1:0.25");
  assert.equal(studio.valuesHint(undefined), "0, 0.5, 1 or 0:1:0.25");
});

test("values to begin with lie around the field's own, within its bounds", () => {
  const omega = { kind: "number", low: 0, high: 1, name: "omega" };
  assert.equal(around(omega, 0.3), "0:1:0.25");
  assert.equal(around({ kind: "number" }, 7.5), "5.5:9.5:1");
  assert.equal(around({ kind: "number" }, -1.5), "-1.9:-1.1:0.2");
  assert.equal(around({ kind: "number", low: 0 }, 0), "0:0.4:0.2");
  assert.equal(around({ kind: "integer", low: 1, high: 200 }, 25), "15:35:5");
  assert.equal(around({ kind: "integer", low: 1, high: 200 }, 1), "1:3:1");
  assert.equal(around({ kind: "integer", name: "seed" }, -1), "0:3:1");
  assert.equal(around({ kind: "integer", name: "variation_seed" }, 500), "500:503:1");
  assert.equal(around({ kind: "boolean" }, true), "false, true");
  const choices = ["a", "b", "c", "d"].map((name) => [name, name]);
  assert.equal(around({ kind: "choice", choices }, "c"), "c, a, b");
  assert.equal(around({ kind: "text" }, "a cat, red"), '["a cat, red"]');
  assert.equal(studio.sizesAround(128), "96, 128, 160");
});

test("headings of long texts keep what tells them apart", () => {
  const rockets = ["blue", "red"].map((one) => `a rocket in flat style on a ${one} background`);
  assert.deepEqual(plain(studio.wordsApart(rockets)), ["… blue …", "… red …"]);
  const more = ["a cat in flat style here", "a cat in flat style"];
  assert.deepEqual(plain(studio.wordsApart(more)), ["… style here", "… style"]);
  for (const alone of [["a cat", "a dog"], rockets.slice(1), ["x".repeat(40), "y".repeat(40)]])
    assert.deepEqual(plain(studio.wordsApart(alone)), alone);
});

test("commas that may be meant as decimal ones are told of", () => {
  assert.equal(studio.commasIn("0,5"), "0 · 5");
  assert.equal(studio.commasIn("0,5, 1"), "0 · 5 · 1");
  for (const plain of ["0, 5, 1", "0,0.5,1", "0:1:0.25", "euler,ddim", ""])
    assert.equal(studio.commasIn(plain), "", plain);
});

test("texts are written a line each, and an empty one can be said", () => {
  assert.equal(studio.listOfLines('a, b\n""\n\nc'), '["a, b","","c"]');
  assert.equal(studio.listOfLines(" \n"), "");
  assert.equal(
    studio.listOfLines("[cat:dog:0.5] in flat style"),
    '["[cat:dog:0.5] in flat style"]',
  );
  for (const list of ['["a"]', '[ "a", "b', "[]"]) assert.equal(studio.listOfLines(list), list);
  assert.equal(studio.linesOfList('["a, b","","c"]'), 'a, b\n""\nc');
  for (const half of ['["a', "0:1:0.5", '["a\\nb"]']) assert.equal(studio.linesOfList(half), half);
});

test("a prompt of several lines begins as one value, as it is", () => {
  assert.equal(around({ kind: "text" }, "a cat\nin flat style"), '["a cat\\nin flat style"]');
  assert.equal(around({ kind: "text" }, "a cat"), '["a cat"]');
});

test("at most three fields are varied, each once, and all of it is kept", () => {
  let kept = null;
  const why = [];
  const axes = studio.axesOf([], (now) => (kept = plain(now)));
  axes.on((reason) => why.push(reason));
  assert.equal(axes.add("omega", "0,1"), "added");
  assert.equal(axes.add("omega", "0,1"), "there");
  axes.add("rows.0.weight", "1,2");
  axes.add("decoupling", "0,1");
  assert.ok(axes.full());
  assert.equal(axes.add("sampler.steps", "4"), "full");
  axes.set(1, { values: "1,2,3" }, "text");
  axes.remove(0);
  assert.deepEqual(why, ["list", "list", "list", "text", "list"]);
  assert.deepEqual(kept, [
    { field: "rows.0.weight", values: "1,2,3" },
    { field: "decoupling", values: "0,1" },
  ]);
});

test("what an earlier sweep's styles held stays until its axis is changed", () => {
  const styles = [{ name: "Ink", prompt: "in ink" }];
  const kept = { field: "style", values: '["Ink"]', styles };
  const axes = studio.axesOf([kept, { field: "omega", values: "0,1" }], () => {});
  axes.set(1, { values: "0,0.5" }, "text");
  axes.follow([1, 0]);
  assert.deepEqual(plain(axes.list())[0], kept);
  axes.set(0, { values: '["Oil"]' }, "text");
  assert.deepEqual(plain(axes.list())[0], { field: "style", values: '["Oil"]' });
});

test("an axis stays with its row: moved, deleted, brought back", () => {
  const axes = studio.axesOf([], () => {});
  axes.add("rows.0.weight", "1,2");
  axes.add("rows.1.prompt", '["a"]');
  axes.add("omega", "0,1");
  const fields = () => plain(axes.list()).map(({ field }) => field);
  axes.follow([1, 0]);
  assert.deepEqual(fields(), ["rows.1.weight", "rows.0.prompt", "omega"]);
  axes.follow([-1, 0]);
  assert.deepEqual(fields(), ["rows.0.weight", "", "omega"]);
  assert.equal(axes.list()[1].values, '["a"]');
  const places = (...given) => plain(studio.placesOfRows(...given));
  assert.deepEqual(places(["a", "b"], ["b", "a"]), [1, 0]);
  assert.deepEqual(places(["b"], ["a", "b"]), [1]);
  assert.deepEqual(places(["a", "a"], ["a", "a", "a"]), [0, 1]);
  assert.deepEqual(places(["a", "b"], ["c", "d"]), [0, 1]);
  assert.deepEqual(places(["a", "n", "b"], ["a", "b"]), [0, -1, 1]); // as an undo takes a row away
});

test("an axis whose row is gone says so, and goes on where that row comes back", () => {
  const axes = studio.axesOf([], () => {});
  const why = [];
  axes.add("rows.1.weight", "2,4");
  axes.on((reason) => why.push(reason));
  const fields = () => plain(axes.list()).map(({ field }) => field);
  axes.follow([0, -1], ["a", "b"], ["a"]);
  axes.set(0, { values: "2,5" }, "text");
  axes.follow([0], ["a"], ["a", "c"]);
  axes.follow([0, 1], ["a", "c"], ["b", "c"]); // a row that was there becomes like it
  assert.deepEqual(fields(), [""]);
  axes.follow([1, 2], ["b", "c"], ["b", "b", "c"]);
  assert.deepEqual(plain(axes.list()), [{ field: "rows.0.weight", values: "2,5" }]);
  axes.follow([-1, 0, 1], ["b", "b", "c"], ["b", "c"]);
  axes.set(0, { field: "omega", values: "2,5" }, "list");
  axes.follow([1, 2], ["b", "c"], ["b", "b", "c"]);
  assert.deepEqual(fields(), ["omega"]);
  assert.deepEqual(why, ["lost", "text", "list", "lost", "list", "rows"]);
});

test("what went can be taken back as long as the axes and the rows stay as they were then", () => {
  const notes = [];
  studio.undoable = (text, undo) => {
    const note = { text, undo, closed: false };
    notes.push(note);
    return () => (note.closed = true);
  };
  for (const follows of [
    () => studio.axes.add("omega", "0,1"),
    () => studio.axes.follow([-1, 0]),
  ]) {
    studio.axes = studio.axesOf([{ field: "rows.0.weight", values: "1,2" }], () => {});
    const before = studio.axes.list();
    studio.axes.remove(0);
    studio.axesUndoable("gone", before);
    assert.equal(notes.at(-1).closed, false);
    follows();
    assert.equal(notes.at(-1).closed, true);
  }
});

test("fields and values in words", () => {
  const titles = {
    omega: "ω, personalization guidance",
    "sampler.seed": "Seed (−1: new each time)",
    "second_pass.strength": "Second pass, strength",
    "second_pass.steps": "Second pass, steps",
  };
  assert.equal(studio.fieldInWords("omega", titles), "ω");
  assert.equal(studio.fieldInWords("sampler.seed", titles), "Seed");
  assert.equal(studio.fieldInWords("second_pass.steps", titles), "Second pass, steps");
  assert.equal(studio.fieldInWords("rows.1.control.strength"), "control strength of row 2");
  assert.equal(studio.fieldInWords("rows.0.model.loras.1.strength"), "LoRA 2 strength of row 1");
  assert.deepEqual([0.1, "", "a", true].map(studio.valueInWords), ["0.1", "(empty)", "a", "true"]);
});

test("arrow keys stay inside the grid and go from page to page", () => {
  const { besideCell } = load("numbers.js", "sweep/axes.js", "sweep/grid.js");
  const sizes = [3, 2, 2];
  assert.deepEqual(plain(besideCell([0, 0, 0], [1, 0], sizes)), [1, 0, 0]);
  assert.deepEqual(plain(besideCell([2, 0, 0], [1, 0], sizes)), [2, 0, 0]);
  assert.deepEqual(plain(besideCell([1, 1, 0], [0, 1], sizes)), [1, 0, 1]);
  assert.deepEqual(plain(besideCell([1, 0, 0], [0, -1], sizes)), [1, 0, 0]);
  assert.deepEqual(plain(besideCell([1, 1, 1], [0, 1], sizes)), [1, 1, 1]);
});

test("a row's model is varied over those of its kind that fit, the likest names first", () => {
  const fields = loadBeside({ on: () => {} }, "sweep/fields.js");
  fields.served = { adapters: ["lora", "lycoris"] };
  const all = ["dog-000002", "dog-000004", "cat", "dog", "sdxl", "base"].map((id) => ({
    id,
    kind: { cat: "lycoris", base: "base" }[id] || "lora",
  }));
  const models = {
    all,
    entryOf: (id) => all.find((one) => one.id === id),
    fits: ({ id }) => id !== "sdxl",
  };
  const vary = (id) => JSON.parse(fields.modelsToVary(id, models));
  assert.deepEqual(vary("dog-000004"), ["dog-000004", "dog-000002", "dog", "cat"]);
  assert.deepEqual(vary("gone"), ["gone"]);
});

test("the picture to start from has its strength varied, and a mask's fields with a mask", () => {
  const leaf = (name, more) => ({ name, path: `init.${name}`, title: name, ...more });
  const leaves = [
    { name: "omega", path: "omega", title: "ω", kind: "number" },
    leaf("strength", { kind: "number", above: 0, high: 1, default: 0.75 }),
    leaf("feather", { kind: "integer", low: 0, high: 64, default: 4 }),
    leaf("soft_inpainting", { kind: "boolean", default: false }),
  ];
  const here = { on: () => {}, fieldOf: () => ({ kind: "number" }) };
  const page = besides(here);
  const offered = () =>
    Object.fromEntries(
      page
        .fieldsToVary(leaves)
        .flatMap(({ options }) => options)
        .map((one) => [one.path, one.values()]),
    );
  assert.deepEqual(Object.keys(offered()), ["omega"]);
  page.start = { init: { image: "x", strength: 0.4 } };
  assert.deepEqual(Object.keys(offered()), ["omega", "init.strength"]);
  assert.equal(offered()["init.strength"], "0.25:1:0.25");
  page.start.init.mask = "y";
  assert.equal(offered()["init.feather"], "2:6:1");
  assert.ok("init.soft_inpainting" in offered());
  const row = { prompt: "", weight: 1, enabled: true };
  const model = { lora: "a", strength: 1, loras: [{ lora: "b", strength: 0.5 }] };
  const models = { all: [], entryOf: () => undefined };
  page.served = { adapters: ["lora"] };
  page.stack = { cards: [{ row: { ...row, model }, stack: { models } }] };
  assert.equal(offered()["rows.0.model.loras.0.strength"], "0.3:0.7:0.1");
});

test("styles are varied where there are some, none of them first", () => {
  let tell;
  const here = { on: (name, told) => name === "styles" && (tell = told), fieldOf: () => ({}) };
  const page = besides(here);
  const leaf = { name: "style", path: "style", title: "Style", kind: "text" };
  assert.deepEqual(plain(page.fieldsToVary([leaf])), []);
  const varies = true; // of one that an axis takes
  tell([{ title: "Ink", varies }, { title: "Mine" }, { title: "Oil, thick", varies }]);
  const [{ options }] = page.fieldsToVary([leaf]);
  assert.deepEqual(
    options.map(({ path }) => path),
    ["style"],
  );
  assert.equal(options[0].values(), '["","Ink","Oil, thick"]');
});

test("an axis changes places with the one before it", () => {
  const axes = studio.axesOf([], () => {});
  for (const field of ["omega", "cfg", "base"]) axes.add(field, "1");
  axes.forward(2);
  axes.forward(1);
  assert.deepEqual(
    plain(axes.list()).map(({ field }) => field),
    ["base", "omega", "cfg"],
  );
});

test("a seed of −1 is drawn once for all pictures of its value", () => {
  let last = 40;
  const drawn = (field, values) =>
    plain(studio.withSeedsDrawn([{ field, values, styles: [] }], () => (last += 1)))[0].values;
  assert.equal(drawn("sampler.seed", "-1, 7,−1"), "41, 7,42");
  assert.equal(drawn("sampler.variation_seed", "-1"), "43");
  assert.equal(drawn("sampler.seed", "-1:3:1"), "-1:3:1");
  assert.equal(drawn("rows.0.weight", "-1, 2"), "-1, 2");
  assert.equal(drawn("sampler.seed", "-1; 5"), "44; 5");
  assert.equal(drawn("sampler.seed", "[-1, 5]"), "[45, 5]");
  assert.equal(drawn("sampler.seed", "-1, 5-7 (+1)"), "46, 5-7 (+1)");
});

test("axes follow a row's controls when one of them goes", () => {
  const fields = [
    "rows.0.control.strength",
    "rows.0.controls.0.strength",
    "rows.1.controls.1.strength",
  ];
  const left = (at) => {
    const axes = studio.axesOf(
      fields.map((field) => ({ field, values: "0, 1" })),
      () => {},
    );
    axes.withoutControl(0, at);
    return plain(axes.list().map(({ field }) => field));
  };
  assert.deepEqual(left(0), ["", "rows.0.control.strength", fields[2]]);
  assert.deepEqual(left(1), [fields[0], "", fields[2]]);
  assert.deepEqual(left(2), fields);
});
