// Notes on what was opened stay while one of its rows is left, however that was edited.
import assert from "node:assert/strict";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("shares.js", "notes.js");
const row = (prompt, weight = 1) => ({ prompt, weight });

test("an edit, another row, a deleted one: the notes stay", () => {
  const rows = studio.openedRows(null);
  rows.look([row("mine")]);
  rows.begin([row("a cat"), row("a dog")]);
  for (const now of [
    [row("a cat"), row("a dog")],
    [row("a cat, sitting"), row("a dog")],
    [row("a cat, sitting")],
    [row("a cat, sitting"), row("new")],
    [row("something else"), row("new")],
  ])
    assert.equal(rows.look(now), true, JSON.stringify(now));
});

test("without any of its rows they go, and with undo they come back", () => {
  const rows = studio.openedRows(null);
  rows.begin([row("a cat")]);
  assert.equal(rows.look([row("a cat")]), true);
  assert.equal(rows.look([]), false);
  assert.equal(rows.look([row("typed since")]), false);
  assert.equal(rows.look([row("typed since, more")]), false);
  assert.equal(rows.look([{ weight: 1, prompt: "a cat" }]), true);
});

for (const first of ["notes", "form"])
  test(`undo of the opening itself hides them, where the ${first} came first`, () => {
    const rows = studio.openedRows(null);
    rows.look([row("older")]);
    rows.look([row("mine")]);
    if (first === "form") rows.look([row("a cat")]);
    rows.begin([row("a cat")]);
    assert.equal(rows.look([row("a cat")]), true);
    assert.equal(rows.look([row("mine")]), false); // undo
    assert.equal(rows.look([row("older")]), false);
    assert.equal(rows.look([row("a cat")]), true); // redo
  });

test("a reload knows them, and a preset without rows keeps its notes", () => {
  const rows = studio.openedRows(null);
  rows.begin([row("a cat")]);
  rows.look([row("a cat")]);
  rows.look([row("a cat", 5)]);
  const after = studio.openedRows(plain(rows.kept()));
  assert.equal(after.look([row("a cat", 5)]), true);
  assert.equal(after.look([row("else")]), true); // typed over
  assert.equal(after.look([]), false);
  const none = studio.openedRows(null);
  none.begin([]);
  assert.equal(none.look([row("typed")]), true);
});
