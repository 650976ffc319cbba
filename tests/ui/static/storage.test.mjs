// What the browser keeps: of the training's form nothing beyond this tab where the settings say so.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const path = fileURLToPath(new URL("../../../studio/ui/static/storage.js", import.meta.url));
const source = readFileSync(path, "utf8");
const TRAINING = "guidance-studio-training";

function store() {
  const held = new Map();
  return {
    getItem: (name) => held.get(name) ?? null,
    setItem: (name, text) => held.set(name, text),
    removeItem: (name) => held.delete(name),
  };
}

/** The script in a tab; `settle` takes over what the settings say. */
function tab(autosave, localStorage = store()) {
  const heard = {};
  const settled = { autosave };
  const studio = {
    on: (name, handler) => (heard[name] = handler),
    preferences: () => settled,
  };
  const document = { addEventListener: () => {} };
  const window = { studio, addEventListener: () => {}, localStorage, sessionStorage: store() };
  vm.runInContext(source, vm.createContext({ window, document }));
  const settle = (told) => heard.preferences(Object.assign(settled, told));
  return { studio, window, settle };
}
const keep = (studio) => studio.keepTraining(["name", "pictures"], ["mine", { pictures: [] }]);

test("a training's form is there in another tab, unless the settings keep forms to their tab", () => {
  for (const autosave of [true, false]) {
    const { studio, window } = tab(autosave);
    assert.equal(studio.keptTraining(), "");
    keep(studio);
    const kept = '{"name":"mine","pictures":[]}';
    assert.equal(studio.keptTraining(), kept);
    assert.equal(tab(autosave, window.localStorage).studio.keptTraining(), autosave ? kept : "");
  }
});

test("one that was kept goes when the setting is turned off, and this tab still has it", () => {
  const { studio, window, settle } = tab(true);
  studio.keptTraining();
  keep(studio);
  settle({ autosave: false });
  assert.equal(window.localStorage.getItem(TRAINING), null);
  keep(studio);
  assert.equal(window.localStorage.getItem(TRAINING), null);
  assert.match(studio.keptTraining(), /mine/);
});

test("a form that is again as it was loaded, as after Undo, is no edited one", () => {
  const heard = {};
  const hands = [];
  let edited = false;
  const heading = { classList: { toggle: (_, on) => (edited = on) } };
  const studio = {
    on: (name, handler) => (heard[name] = handler),
    emit: () => {},
    preferences: () => ({ autosave: true }),
    isFilled: () => true,
    formText: (names, values) => JSON.stringify({ [names[0]]: values[0] }),
    plainForm: (text) => text,
    recordForm: () => {},
    wayOfKey: ({ key, ctrlKey }) => (ctrlKey && key === "z" ? "undo" : ""),
  };
  const document = {
    addEventListener: (kind, handler) => hands.push([kind, handler]),
    getElementById: () => heading,
  };
  const [localStorage, sessionStorage] = [store(), store()];
  const window = { studio, addEventListener: () => {}, localStorage, sessionStorage };
  vm.runInContext(source, vm.createContext({ window, document, setTimeout }));
  const save = (name) => studio.autosave(["name"], [name]);
  const edit = (name) => {
    for (const [kind, handler] of hands) if (kind === "input") handler({ type: kind, target: {} });
    save(name);
  };
  for (const name of ["first", "second"]) {
    heard.notes({ loaded: true });
    save(name);
    assert.equal(edited, false);
  }
  edit("third");
  assert.equal(edited, true);
  edit("first"); // what Undo brings back
  assert.equal(edited, false);
  edit("second");
  assert.equal(edited, false);
  edit("third");
  heard.notes({ loaded: true }); // before the form has its values: it is the edited one still
  save("fourth");
  assert.equal(edited, false);
  edit("third");
  assert.equal(edited, true);
  edit("fourth");
  assert.equal(edited, false);
  edit("third");
  heard.notes({ loaded: true });
  save("fifth");
  for (const [kind, handler] of hands)
    if (kind === "keydown") handler({ type: kind, key: "z", ctrlKey: true, target: {} });
  save("third"); // taken back at once
  assert.equal(edited, true);
});
