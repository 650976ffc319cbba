import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const { awaited } = load("plan.js");

test("a plan is awaited until the last that was asked for has come", () => {
  const plan = awaited();
  plan.asked();
  assert.equal(plan.made(), false);
  plan.asked();
  plan.asked(); // while the first is on its way: one more request follows it
  plan.asked();
  assert.equal(plan.made(), true);
  assert.equal(plan.made(), false);
});
