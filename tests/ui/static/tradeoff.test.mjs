// The trade-off's plot: ticks, scales and what is drawn where.
import assert from "node:assert/strict";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("numbers.js", "tradeoff/geometry.js", "tradeoff/pictures.js");
const BOX = { width: 440, height: 280, left: 52, right: 14, top: 12, bottom: 40 };
const point = (x, y, more = {}) => ({ x: [x, x, x], y: [y, y, y], front: null, ...more });

test("ticks are round, within the span, about as many as asked for", () => {
  assert.deepEqual(plain(studio.roundTicks(0, 1)), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(plain(studio.roundTicks(0.2471, 0.2986)), [0.26, 0.28]);
  assert.deepEqual(plain(studio.roundTicks(3, 3)), [3]);
  for (const [low, high] of [
    [0.11, 0.93],
    [-7, 12],
    [1e-5, 3e-5],
  ]) {
    const ticks = studio.roundTicks(low, high);
    assert.ok(ticks.length >= 2 && ticks.length <= 6, `${ticks}`);
    assert.ok(ticks.every((tick) => tick >= low - 1e-12 && tick <= high + 1e-12));
  }
});

test("higher scores stand further right and further up, all inside the box", () => {
  const points = [point(0.3, 0.9, { front: 0 }), point(0.6, 0.5, { front: 1 }), point(0.2, 0.1)];
  const { dots, line } = studio.tradeoffPlot(points, BOX);
  assert.deepEqual(
    dots.map((dot) => dot.kind),
    ["front", "front", "point"],
  );
  assert.ok(dots[1].x > dots[0].x && dots[0].x > dots[2].x);
  assert.ok(dots[0].y < dots[1].y && dots[1].y < dots[2].y);
  for (const { x, y } of dots) assert.ok(x >= 52 && x <= 426 && y >= 12 && y <= 240);
  assert.equal(line.split(" ").length, 2); // the front alone is joined
});

test("one point, or none, is no division by zero", () => {
  const { dots } = studio.tradeoffPlot([point(0.5, 0.5, { front: 0 })], BOX);
  assert.ok(Number.isFinite(dots[0].x) && Number.isFinite(dots[0].y));
  assert.deepEqual(plain(studio.tradeoffPlot([], BOX).dots), []);
});

test("a setting in words", () => {
  assert.equal(studio.settingText({ omega: 0.4, "rows.1.weight": 3 }), "ω 0.4 · row 2 × 3");
});

const FORM = { omega: 0.2, name: "a", seed: 3, steps: 20, rows: [{ prompt: "a hero", weight: 4 }] };
const keyOf = (form, more) => studio.searchKey(JSON.stringify(form), { row: 0, ...more });

test("only the same search is gone on with", () => {
  const found = { points: [point(1, 1)], key: keyOf(FORM) };
  const word = (form, more) => studio.searchWord(found, keyOf(form, more));
  const rows = (change) => ({ ...FORM, rows: [{ ...FORM.rows[0], ...change }] });
  assert.equal(word(FORM), "Search on");
  for (const same of [
    { omega: 0.9 },
    { seed: -1 },
    { count: 3 },
    { name: "b" },
    { description: "c" },
  ])
    assert.equal(word({ ...FORM, ...same }), "Search on");
  const { steps, ...others } = FORM;
  assert.equal(word({ steps, ...others }), "Search on"); // in another order
  for (const other of [{ steps: 21 }, { base: "mine" }, { cfgpp: true }])
    assert.equal(word({ ...FORM, ...other }), "Search");
  for (const other of [{ prompt: "a fox" }, { weight: 5 }, { model: { lora: "fox" } }])
    assert.equal(word(rows(other)), "Search");
  assert.equal(word(FORM, { weight: true }), "Search");
  assert.equal(word(FORM, { row: 1 }), "Search");
  assert.equal(word(FORM, { files: [{ name: "a.png", size: 3 }] }), "Search");
  assert.equal(keyOf(FORM, { weight: true }), keyOf(rows({ weight: 7 }), { weight: true }));
  assert.match(keyOf(FORM), /^[0-9a-f]{16}$/);
  assert.equal(studio.searchWord({ points: found.points, key: "" }, ""), "Search");
  assert.equal(studio.searchWord({}, undefined), "Search");
});

const HERO = { count: 6, whose: "examples" };

test("what a search compares with is said of the model that is there now", () => {
  const compared = studio.comparedPictures();
  assert.equal(compared.about("hero"), true);
  assert.equal(compared.about("hero"), false);
  assert.equal(compared.said(), ""); // nothing is known of it yet
  compared.learn("hero", HERO);
  assert.equal(compared.said(), "Compared with 6 of the studio's example pictures.");
  assert.equal(compared.about("fox"), true);
  assert.equal(compared.said(), "");
  compared.learn("hero", HERO); // an answer that comes late is about another
  assert.equal(compared.unknown(), true);
  compared.learn("fox", { count: 0, whose: "" });
  assert.equal(compared.said(), "Needs pictures of what fox was trained on.");
  assert.equal(compared.wanted(), true);
  compared.about("hero");
  assert.equal(compared.wanted(), false);
  compared.learn("hero", { count: 1, whose: "training" });
  assert.equal(compared.said(), "Compared with the one picture that hero was trained on.");
  compared.learn("hero", { count: 3, whose: "training" });
  assert.equal(compared.said(), "Compared with 3 pictures that hero was trained on.");
});

test("files of one's own are of one subject, and there is a way back from them", () => {
  const compared = studio.comparedPictures();
  compared.about("hero");
  compared.learn("hero", HERO);
  assert.equal(compared.returns(), false);
  compared.choose(["a.png", "b.png"]);
  assert.equal(compared.said(), "2 of your pictures");
  assert.equal(compared.returns(), true);
  compared.choose([]);
  assert.equal(compared.said(), "Compared with 6 of the studio's example pictures.");
  compared.choose(["a.png"]);
  compared.about("fox");
  assert.deepEqual(plain(compared.files()), []);
  compared.learn("fox", { count: 0, whose: "" });
  compared.choose(["fox.png"]);
  assert.equal(compared.wanted(), false);
  assert.equal(compared.returns(), false); // nothing is known that it could go back to
});

test("what was chosen before the page was loaded anew is there again, each for its model", () => {
  const compared = studio.comparedPictures();
  compared.about("fox"); // as the form is filled, it may be another for a moment
  compared.about("hero");
  compared.found([
    ["hero", ["a.png"]],
    ["fox", ["b.png", "c.png"]],
  ]);
  assert.equal(compared.said(), "1 of your pictures");
  compared.about("fox");
  assert.equal(compared.said(), "2 of your pictures");
  compared.choose(["d.png"]);
  compared.about("hero");
  compared.choose(["e.png", "f.png", "g.png"]); // sooner than what was kept has come
  compared.found([
    ["hero", ["a.png"]],
    ["fox", ["b.png", "c.png"]],
  ]);
  assert.equal(compared.said(), "3 of your pictures");
  compared.about("fox");
  assert.equal(compared.said(), "1 of your pictures");
});
