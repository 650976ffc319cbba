// The form that a browser keeps: whether it counts as edited, through a reload and a damaged link.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = new URL("../../../studio/ui/static/storage.js", import.meta.url);
const source = readFileSync(fileURLToPath(path), "utf8");
const LOADED = { omega: 0, rows: [{ weight: 1 }] };
const EDITED = { omega: 0, rows: [{ weight: 2 }] };
const MUTED = { omega: 0, rows: [{ weight: 2, enabled: false }] };

class Store extends Map {
  getItem = (name) => this.get(name) ?? null;
  setItem = (name, text) => this.set(name, String(text));
  removeItem = (name) => this.delete(name);
}

/** A page of a tab, with the stores of its browser. */
function opened(sessionStorage, localStorage, search = "") {
  const heard = {};
  let edited = false;
  const studio = {
    on: (name, hear) => (heard[name] = hear),
    emit() {},
    isFilled: () => true,
    preferences: () => ({ autosave: true }),
    recordForm() {},
  };
  const heading = { classList: { toggle: (name, on) => (edited = on) } };
  const document = {
    addEventListener() {},
    getElementById: () => heading,
    querySelector: () => null,
  };
  const window = { studio, sessionStorage, localStorage, addEventListener() {} };
  const context = { window, document, location: { search }, URLSearchParams };
  vm.runInContext(source, vm.createContext(context));
  const sent = studio.opening();
  return {
    sent,
    answered: (done) => studio.linkAnswered(done),
    loaded: () => heard.notes({ loaded: true }),
    studio,
    save: ({ omega, rows }) => studio.autosave(["omega", "rows"], [omega, { rows }]),
    get edited() {
      return edited;
    },
  };
}

/** Stores of a tab in which a preset was loaded and then changed. */
function changed() {
  const stores = [new Store(), new Store()];
  const page = opened(...stores);
  page.loaded();
  page.save(LOADED);
  assert.equal(page.edited, false);
  const next = opened(...stores); // it no longer waits for what is loaded
  next.save(EDITED);
  assert.equal(next.edited, true);
  return stores;
}

for (const [where, tab] of [
  ["the same tab", (own) => own],
  ["a new tab", () => new Store()],
])
  test(`a damaged link in ${where} leaves the kept form edited, as it was`, () => {
    const [own, local] = changed();
    const stores = [tab(own), local];
    const page = opened(...stores, "?p=damaged");
    const { otherwise, edited } = JSON.parse(page.sent);
    assert.equal(edited, true);
    const form = JSON.parse(otherwise);
    page.save(form); // the server goes on with it, and says of nothing that it was loaded
    assert.equal(page.edited, true);
    page.save(MUTED);
    assert.equal(page.edited, true);
    page.save(LOADED);
    assert.equal(page.edited, false);
  });

test("a link is asked about where the kept form is edited alone, and again until it is answered", () => {
  const [own, local] = changed();
  const asked = (tab) => JSON.parse(opened(tab, local, "?p=sound").sent || "{}");
  assert.equal(asked(new Store()).edited, true);
  const before = opened(own, local, "?p=sound");
  before.answered(false);
  const again = opened(own, local, "?p=sound");
  assert.equal(JSON.parse(again.sent).edited, true);
  again.answered(true);
  assert.deepEqual(JSON.parse(opened(own, local, "?p=sound").sent).rows, EDITED.rows);
  assert.equal(JSON.parse(opened(new Store(), new Store(), "?p=sound").sent).edited, false);
  const [first, stays] = [new Store(), new Store()];
  const page = opened(first, stays);
  page.loaded();
  page.save(LOADED);
  assert.equal(JSON.parse(opened(first, stays, "?p=sound").sent).edited, false);
});

test("a link's own preset is no edited one, also where it is what was kept", () => {
  for (const form of [MUTED, EDITED])
    for (const first of ["loaded", "saved"]) {
      const [, local] = changed();
      const page = opened(new Store(), local, "?p=sound");
      if (first === "loaded") page.loaded();
      page.save(form);
      if (first === "saved") page.loaded();
      assert.equal(page.edited, false);
    }
});

test("an empty box is nothing, whichever nothing it holds", () => {
  const { studio } = opened(new Store(), new Store());
  const text = (width) => studio.formText(["width", "rows"], [width, { rows: [] }]);
  assert.equal(text(null), text(""));
  assert.equal(text(undefined), text(""));
  assert.notEqual(text(0), text(""));
  const taken = [];
  const [tab, all] = [new Store(), new Store()];
  const page = opened(tab, all);
  page.studio.recordForm = (form) => taken.push(form);
  page.studio.stack = { cards: [], entryOf: () => null };
  page.studio.autosave(["width", "rows"], ["", { rows: [] }]);
  page.studio.heldFields = () => ({ width: null });
  page.studio.bringForm();
  assert.equal(taken.length, 1); // what was kept; nothing else has changed
  page.studio.heldFields = () => ({ width: 320 });
  page.studio.bringForm();
  assert.equal(JSON.parse(taken[1]).width, 320);
});

test("a form that an earlier version kept is not edited by the new one", () => {
  const old = JSON.stringify({ omega: null, rows: [], init: null });
  const tab = new Store([
    ["guidance-studio-tab", old],
    ["guidance-studio-loaded", old],
  ]);
  const page = opened(tab, new Store([["guidance-studio-last", "no JSON"]]));
  page.save({ omega: "", rows: [] });
  assert.equal(page.edited, false);
  assert.equal(tab.getItem("guidance-studio-loaded"), tab.getItem("guidance-studio-tab"));
});
