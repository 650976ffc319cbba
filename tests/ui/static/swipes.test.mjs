// A slider under a finger that scrolls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

function page() {
  const listeners = {};
  const on = (kind, run) => (listeners[kind] = run);
  const told = [];
  const slider = { type: "range", value: "5", dispatchEvent: (event) => told.push(event.type) };
  const send = (kind, pointerType = "touch") =>
    listeners[kind]({ pointerId: 3, pointerType, target: slider });
  return { on: { addEventListener: on }, slider, told, send };
}

test("a slider is put back where the finger scrolled, and only there", () => {
  const studio = load("swipes.js");
  const { on, slider, told, send } = page();
  studio.sparesSliders(on);
  send("pointerdown");
  slider.value = "-9.9"; // the browser sets it where the finger is
  send("pointercancel");
  assert.equal(slider.value, "5");
  assert.deepEqual(told, ["input", "change"]);

  send("pointerdown");
  slider.value = "7";
  send("pointerup"); // a tap is meant
  send("pointercancel");
  assert.equal(slider.value, "7");

  send("pointerdown", "mouse");
  slider.value = "8";
  send("pointercancel", "mouse");
  assert.equal(slider.value, "8");
  assert.equal(told.length, 2);
});
