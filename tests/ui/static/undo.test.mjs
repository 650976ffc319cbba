// Undo: what is one step, what it is called, and that nothing is lost on the way there and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load as loaded } from "./load.mjs";

const source = ["undo_kept.js", "undo_words.js", "undo.js"]
  .map((name) => fileURLToPath(new URL(`../../../studio/ui/static/${name}`, import.meta.url)))
  .map((path) => readFileSync(path, "utf8"))
  .join("\n");
function load(labels, more) {
  const window = { studio: { el: () => null, labels, ...more }, addEventListener: () => {} };
  const document = { addEventListener: () => {} };
  const store = { getItem: () => null, setItem: () => {} };
  vm.runInContext(source, vm.createContext({ window, document, sessionStorage: store }));
  return window.studio;
}
const form = (weight, prompt = "a cat", more = {}) =>
  JSON.stringify({ omega: 0, ...more, rows: [{ prompt, weight }] });

test("steps go back and forth through every state", () => {
  let now = 0;
  const log = load().undoLog(() => now);
  for (let weight = 0; weight <= 300; weight += 1) {
    now += 5000;
    log.record(form(weight));
  }
  assert.equal(log.state.past.length, 200);
  for (let weight = 299; weight >= 100; weight -= 1) assert.equal(log.undo().form, form(weight));
  assert.equal(log.undo(), null);
  for (let weight = 101; weight <= 300; weight += 1) assert.equal(log.redo().form, form(weight));
  assert.equal(log.redo(), null);
});

test("typing one field and a burst of changes are one step each; a new change ends redo", () => {
  let now = 10_000;
  const log = load().undoLog(() => now);
  log.record(form(1));
  now += 5000;
  for (const text of ["a", "a d", "a dog"]) {
    log.record(form(1, text));
    now += 600;
  }
  now += 5000;
  log.record(form(2, "a dog"));
  now += 50;
  log.record(form(2, "a dog", { omega: 1 }));
  assert.equal(log.undo().form, form(1, "a dog"));
  assert.equal(log.undo().form, form(1));
  log.touched();
  now += 9000;
  log.record(form(9));
  assert.equal(log.redo(), null);
});

test("a press is a step of its own, however soon after the last; presses at one field are one", () => {
  let now = 10_000;
  const log = load().undoLog(() => now);
  const changes = [form(1), form(1, "a dog"), form(1, "a dog", { omega: 1 })];
  for (const change of changes) {
    log.pressed();
    now += 50;
    log.record(change);
  }
  for (const omega of [2, 3]) {
    log.pressed();
    now += 50;
    log.record(form(1, "a dog", { omega }));
  }
  assert.equal(log.undo().form, form(1, "a dog"));
  assert.equal(log.undo().form, form(1));
});

test("a field that is as it was is no step, and what could be done again still can be", () => {
  let now = 10_000;
  const log = load().undoLog(() => now);
  log.record(form(1));
  now += 5000;
  log.record(form(2));
  assert.equal(log.undo().form, form(1));
  log.touched();
  now += 9000;
  for (const weight of [-9, 1]) {
    now += 100; // a finger that scrolls over a slider
    log.record(form(weight));
  }
  assert.equal(log.undo(), null);
  assert.equal(log.redo().form, form(2));
});

test("rows deleted and added by presses, and a press taken back by the next, are steps", () => {
  let now = 10_000;
  const log = load().undoLog(() => now);
  const rows = (...prompts) => JSON.stringify({ rows: prompts.map((prompt) => ({ prompt })) });
  log.record(rows("a", "b", "c"));
  now += 5000;
  for (const left of [rows("a", "b"), rows("a"), rows("a", "")]) {
    log.pressed();
    now += 600;
    log.record(left);
  }
  for (const back of [rows("a"), rows("a", "b"), rows("a", "b", "c")])
    assert.equal(log.undo().form, back);
  log.touched();
  now += 9000;
  const muted = (enabled) => JSON.stringify({ rows: [{ prompt: "a", enabled }] });
  log.record(muted(true));
  now += 5000;
  for (const enabled of [false, true]) {
    log.pressed();
    now += 300;
    log.record(muted(enabled));
  }
  assert.equal(log.undo().form, muted(false));
  assert.equal(log.undo().form, muted(true));
});

test("what the page takes up after an undo is no step of its own", () => {
  let now = 0;
  const log = load().undoLog(() => now);
  for (const weight of [1, 2, 3]) {
    now += 5000;
    log.record(form(weight));
  }
  log.undo();
  now += 300;
  log.record(form(2, "a cat", { steps: 25 }));
  assert.equal(log.state.future.length, 1);
  assert.equal(log.undo().form, form(1));
});

test("undone again before the page has taken the last up, each goes one step further", () => {
  let now = 0;
  const log = load().undoLog(() => now);
  for (const weight of [1, 2, 3, 4]) {
    now += 5000;
    log.record(form(weight));
  }
  for (const weight of [3, 2, 1]) {
    assert.equal(log.undo().form, form(weight));
    now += 3000; // a slow server
    log.record(form(4)); // the page still shows what was before
  }
  log.record(form(3));
  log.answered(); // of the first; the last of the others is on its way
  now += 3000;
  log.record(form(1));
  log.answered();
  assert.equal(log.waits(), false);
  for (const weight of [2, 3, 4]) assert.equal(log.redo().form, form(weight));
});

test("a control image more or less of a row is named as one", () => {
  const { changeInWords } = load();
  const [one, other] = [1, 0.5].map((strength) => ({
    type: "canny",
    image: "inputs/a.png",
    strength,
  }));
  const row = (control, ...controls) => JSON.stringify({ rows: [{ control, controls }] });
  assert.equal(changeInWords(row(one), row(one, other)), "control image added to row 1");
  assert.equal(changeInWords(row(one, other), row(other)), "control image removed from row 1");
  assert.equal(changeInWords(row(one), row(null)), "control of row 1: a picture → none");
  assert.equal(changeInWords(row(one), row(other)), "control strength of row 1: 1 → 0.5");
});

test("a change is named", () => {
  const { changeInWords } = load();
  assert.equal(changeInWords(form(3), form(4)), "weight of row 1: 3 → 4");
  const row = (more) => JSON.stringify({ rows: [{ weight: 1 }, { weight: 2, ...more }] });
  const listed = (...prompts) => JSON.stringify({ rows: prompts.map((prompt) => ({ prompt })) });
  const order = "rows in another order";
  assert.equal(changeInWords(listed("a", "b", "c"), listed("b", "c", "a")), order);
  assert.equal(changeInWords(listed("a", "b"), listed("b", "a")), order);
  assert.equal(changeInWords(listed("a", "b"), listed("b", "b")), "prompt of row 1: “a” → “b”");
  assert.equal(changeInWords(row({ enabled: true }), row({ enabled: false })), "row 2 muted");
  assert.equal(changeInWords(row({ solo: false }), row({ solo: true })), "row 2 solo");
  const seen = (image) => JSON.stringify({ rows: [{ image_prompt: { image } }] });
  assert.equal(
    changeInWords(seen("a"), seen("b")),
    "picture of the image prompt of row 1: “a” → “b”",
  );
  const worn = (strength) => JSON.stringify({ rows: [{ model: { loras: [{ strength }] } }] });
  assert.equal(changeInWords(worn(1), worn(2)), "LoRA 1 strength of row 1: 1 → 2");
  const led = (...controls) => JSON.stringify({ rows: [{ control: {}, controls }] });
  assert.equal(changeInWords(led({ low: 1 }), led({ low: 2 })), "control 2, low of row 1: 1 → 2");
  const held = (more) => JSON.stringify({ rows: [{ image_prompt: null, range: [0, 1], ...more }] });
  const shown = { image_prompt: { image: "assets/a.png", model: "m", strength: 1 } };
  assert.equal(changeInWords(held(shown), held({})), "image prompt of row 1: a picture → none");
  assert.equal(changeInWords(held({}), held({ range: [0, 0.5] })), "range of row 1: 0, 1 → 0, 0.5");
  const bent = {
    curve: [
      [0, 0],
      [1, 0.5],
    ],
  };
  assert.equal(
    changeInWords(held({ curve: "constant" }), held(bent)),
    "curve of row 1: “constant” → 0:0, 1:0.5",
  );
  assert.equal(
    changeInWords(held({ model: null }), held({ model: { lora: "x" } })),
    "model of row 1: none → “x”",
  );
  // Of long texts that part in which they differ.
  const long = (end) => form(3, `${"a long prompt of a cat, ".repeat(9)}${end}, drawn by hand`);
  assert.equal(
    changeInWords(long("at dawn"), long("by night")),
    "prompt of row 1: “…ng prompt of a cat, at dawn, drawn by ha…” → " +
      "“…ng prompt of a cat, by night, drawn by h…”",
  );
  const tiled = (tiles) => JSON.stringify({ tiles, rows: [] });
  assert.equal(changeInWords(tiled(false), tiled(true)), "tiles: no → yes");
  assert.equal(changeInWords(form(3), form(3, "")), "prompt of row 1: “a cat” → none");
  assert.equal(changeInWords(form(3), form(3, "a cat", { omega: 0.4 })), "omega: 0 → 0.4");
  const named = load({ omega: "ω, personalization guidance" });
  assert.equal(
    named.changeInWords(form(3), form(3, "a cat", { omega: 0.4 })),
    "ω, personalization guidance: 0 → 0.4",
  );
  assert.equal(changeInWords(form(3), form(4, "a dog")), "prompt of row 1 · weight of row 1");
  const set = (eta, omega) => JSON.stringify({ sampler_eta: eta, omega, rows: [] });
  assert.equal(changeInWords(set(0.5, 0.1), set(null, 0.2)), "sampler_eta · omega");
  const four = (value) => JSON.stringify({ a: value, b: value, c: value, d: value });
  assert.equal(changeInWords(four(1), four(2)), "4 fields");
  const three = (value) => JSON.stringify({ rows: [{ a: value, b: value, c: value, d: value }] });
  assert.equal(changeInWords(three(1), three(2)), "4 fields of row 1");
  const masked = (mask) => JSON.stringify({ rows: [{ mask }] });
  const kept = masked("inputs/a50fccbe");
  assert.equal(changeInWords(masked(null), kept), "mask of row 1: none → a picture");
  const several = (...masks) => JSON.stringify({ rows: masks.map((mask) => ({ mask })) });
  const painted = several("inputs/a50fccbe", null, "inputs/b50fccbe");
  assert.equal(changeInWords(several(null, null, null), painted), "mask of 2 rows");
  const muted = (...all) => JSON.stringify({ rows: all.map((enabled) => ({ enabled })) });
  assert.equal(changeInWords(muted(true, true), muted(false, false)), "2 rows muted");
  assert.equal(changeInWords(muted(false, false), muted(true, true)), "2 rows take part again");
  assert.equal(changeInWords(form(3), JSON.stringify({ omega: 0, rows: [] })), "1 row deleted");
});

test("a field with a list is said with the list's words, and one of a start with what it is at first", () => {
  const titles = {
    scheduler: { "dpm++": "DPM-Solver++ 2M", ddim: "DDIM" },
    init_area: { picture: "whole picture", mask: "around the mask alone" },
    rows_reference: { unconditional: "unconditional (default)", own: "own weak model" },
    rows_control_type: { canny: "Edges (Canny)", depth: "Depth" },
  };
  const labels = {
    scheduler: "Scheduler",
    init: "Start from a picture",
    init_area: "Start from a picture, area",
    init_feather: "Start from a picture, feather",
  };
  const startDefaults = { "init.area": "picture", "init.feather": 4 };
  const { changeInWords } = load(labels, { titles, startDefaults });
  const set = (scheduler, init) => JSON.stringify({ scheduler, init, rows: [] });
  const from = { image: "inputs/a" };
  assert.equal(
    changeInWords(set("dpm++", null), set("ddim", null)),
    "Scheduler: DPM-Solver++ 2M → DDIM",
  );
  assert.equal(
    changeInWords(set("ddim", from), set("ddim", { ...from, area: "mask" })),
    "Start from a picture, area: whole picture → around the mask alone",
  );
  assert.equal(
    changeInWords(set("ddim", from), set("ddim", { ...from, feather: 9 })),
    "Start from a picture, feather: 4 → 9",
  );
  assert.equal(
    changeInWords(set("ddim", null), set("ddim", from)),
    "Start from a picture: none → a picture",
  );
  const row = (reference, type) => JSON.stringify({ rows: [{}, { reference, control: { type } }] });
  assert.equal(
    changeInWords(row("unconditional", "canny"), row("own", "canny")),
    "reference of row 2: unconditional (default) → own weak model",
  );
  assert.equal(
    changeInWords(row("own", "canny"), row("own", "depth")),
    "control type of row 2: Edges (Canny) → Depth",
  );
  assert.equal(
    changeInWords(row("own", "canny"), row({ prompt: "a fox" }, "canny")),
    "reference of row 2: own weak model → “a fox”",
  );
  assert.equal(
    changeInWords(row("own", "canny"), row({ prompt: "" }, "canny")),
    "reference of row 2: own weak model → another prompt",
  );
});

test("200 steps of 100 rows are kept in little room, and come back letter by letter", () => {
  const studio = loaded("undo_kept.js");
  const pack = studio.formPacker();
  const row = (number) => ({ prompt: `row ${number} `.repeat(40), weight: number, range: [0, 1] });
  let rows = Array.from({ length: 100 }, (_, number) => row(number));
  const forms = [];
  for (let step = 0; step < 200; step += 1) {
    rows = rows.map((one, at) => (at === step % 100 ? row(1000 + step) : one));
    forms.push(JSON.stringify({ omega: 0, rows, steps: step, seed: null }));
    pack(forms);
  }
  const text = JSON.stringify(pack(forms));
  assert.ok(text.length < forms.join("").length / 20);
  assert.deepEqual([...studio.unpackForms(JSON.parse(text))], forms);
});

test("a form without rows is kept as it is", () => {
  const studio = loaded("undo_kept.js");
  const forms = ['{"omega":1}', '{"rows":[],"omega":2}'];
  assert.deepEqual([...studio.unpackForms(studio.formPacker()(forms))], forms);
});

test("keys go the way that they go all over the page", () => {
  const way = (key, more = { ctrlKey: true }) => load().wayOfKey({ key, ...more });
  assert.equal(way("z"), "undo");
  assert.equal(way("Z", { ctrlKey: true, shiftKey: true }), "redo");
  assert.equal(way("z", { metaKey: true, shiftKey: true }), "redo");
  assert.equal(way("y"), "redo");
  assert.equal(way("z", {}), "");
  assert.equal(way(undefined, {}), ""); // of a form that the browser fills in
  assert.equal(way("a"), "");
  assert.equal(way("z", { ctrlKey: true, altKey: true }), "");
});

test("an edit that nobody was told of is newer than what was taken away before it", async () => {
  const heard = {};
  let now = 10_000;
  let shown = form(1);
  const [back, sent] = [[], []];
  const studio = {
    el: () => null,
    button: () => ({}),
    newest: () => (message) => sent.push(message.form),
    toast: () => {},
    filled: Promise.resolve(),
    bringForm: () => studio.recordForm(shown),
    takeBack: (since) => since < 20_000 && back.push("a picture"), // it went at that time
  };
  const store = { getItem: () => null, setItem: () => {} };
  const document = {
    addEventListener: (kind, handler) => (heard[kind] = [...(heard[kind] ?? []), handler]),
    querySelector: () => null,
  };
  const window = { studio, addEventListener: () => {} };
  const timers = { setTimeout: () => 1, clearTimeout: () => {} };
  const dates = { now: () => now };
  const web = { window, document, sessionStorage: store, Date: dates, ...timers };
  vm.runInContext(source, vm.createContext(web));
  studio.mountUndo({ replaceChildren: () => {} }, () => {});
  studio.recordForm(shown);
  now = 30_000;
  shown = form(2); // the page shows it, and has not told of it yet
  const event = { key: "z", ctrlKey: true, target: {}, preventDefault: () => {} };
  for (const handler of heard.keydown) handler(event);
  await studio.filled;
  assert.deepEqual([back, sent], [[], [form(1)]]);
});
