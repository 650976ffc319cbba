// What the settings do on the page: preferences that a browser kept, the theme, and a run's end.
import assert from "node:assert/strict";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load(
  "numbers.js",
  "settings/preferences.js",
  "settings/ends.js",
  "settings/rows.js",
);
const DEFAULTS = {
  theme: "system",
  language: "auto",
  autosave: true,
  sounds: false,
  notifications: false,
  long_run: 20,
};

test("preferences that are damaged, missing or of another type are the defaults", () => {
  for (const text of [null, "", "{", "3", "null", '{"theme": 3, "autosave": "no"}'])
    assert.deepEqual(plain(studio.readPreferences(text)), DEFAULTS);
  const told = { ...DEFAULTS, theme: "dark", long_run: 5 };
  assert.deepEqual(plain(studio.readPreferences(JSON.stringify({ ...told, nonce: 7 }))), told);
});

test("the theme is the button's, else the setting's, else the system's", () => {
  for (const [pressed, setting, system, dark] of [
    ["dark", "light", false, true],
    ["light", "dark", true, false],
    [null, "dark", false, true],
    [null, "light", true, false],
    [null, "system", true, true],
    [null, "system", false, false],
  ])
    assert.equal(studio.isDark(pressed, setting, system), dark);
});

function watched(preferences, hidden = true) {
  const heard = [];
  let time = 0;
  const see = studio.runEnds({
    now: () => time,
    preferences: () => ({ ...DEFAULTS, ...preferences }),
    hidden: () => hidden,
    sound: (failed) => heard.push(failed ? "low" : "high"),
    notify: (text) => heard.push(text),
  });
  return { heard, at: (seconds, state, text = "") => ((time = seconds * 1000), see(state, text)) };
}

test("a long run is heard once at its end; a short one, a cancelled one and a page just loaded are not", () => {
  const { heard, at } = watched({ sounds: true, notifications: true, long_run: 20 });
  at(0, "done", "from before");
  at(1, "waiting");
  at(10, "running");
  at(29, "running");
  at(29.9, "done", "too short");
  at(40, "running");
  at(60, "done", "4 of 4");
  at(61, "done", "4 of 4");
  at(70, "running");
  at(100, "idle", "cancelled");
  at(110, "running");
  at(131, "failed", "out of memory");
  assert.deepEqual(heard, ["high", "4 of 4", "low", "out of memory"]);
});

test("where every run is heard, one that ended between two looks is heard too, and once", () => {
  const { heard, at } = watched({ sounds: true, long_run: 0 });
  at(0, "done", "from before");
  at(1, "done", "from before");
  at(5, "done", "1 of 1");
  at(6, "done", "1 of 1");
  at(8, "waiting", "second of two");
  at(9, "failed", "out of memory");
  assert.deepEqual(heard, ["high", "low"]);
});

test("nothing is heard that was not asked for, and no notification comes where one looks", () => {
  const looked = watched({ sounds: true, notifications: true, long_run: 0 }, false);
  const silent = watched({ long_run: 0 });
  for (const { at } of [looked, silent]) {
    at(0, "running");
    at(1, "done", "text");
  }
  assert.deepEqual(looked.heard, ["high"]);
  assert.deepEqual(silent.heard, []);
});

test("where a value comes from is said in words", () => {
  const said = (origin) => studio.originOf({ origin, variable: "STUDIO_DEVICE" });
  assert.deepEqual(["environment", "file", "default"].map(said), [
    "set by STUDIO_DEVICE",
    "set here",
    "default",
  ]);
});

test("a number is read in any digits, and what may be two numbers is not guessed at", () => {
  const read = ["30", " ٣٠ ", "۳۰", "３０", "", "thirty", "2.5", "1,000"].map(studio.settingNumber);
  assert.deepEqual(read, [30, 30, 30, 30, null, "thirty", 2.5, "1,000"]);
});

test("the tab's title says how far a run is, and how it ended until somebody has seen it", () => {
  const title = studio.tabTitle("Studio");
  const bar = (state, percent = "0") => ({ state, percent });
  const rest = bar("idle");
  assert.equal(title([rest, rest], false), "Studio");
  assert.equal(title([bar("waiting"), rest], false), "… · Studio");
  assert.equal(title([bar("running", "37"), rest], true), "37 % · Studio");
  assert.equal(title([bar("done"), rest], true), "✓ Studio");
  assert.equal(title([bar("done"), rest], true), "✓ Studio");
  assert.equal(title([bar("done"), rest], false), "Studio");
  assert.equal(title([bar("done"), rest], true), "Studio");
  assert.equal(title([bar("done"), bar("running", "5")], true), "5 % · Studio");
  assert.equal(title([bar("done"), bar("failed")], true), "! Studio");
  assert.equal(title([bar("running", "1"), bar("failed")], true), "1 % · Studio");
  assert.equal(title([bar("done"), bar("failed")], true), "✓ Studio");
});
