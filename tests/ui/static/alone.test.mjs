// Dialogs that are pressed for twice while what they show is still being fetched.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { alone } = load("dom.js");

test("of two that ask one stands, and the next one once that is answered", async () => {
  let answer;
  const first = alone(() => new Promise((resolve) => (answer = resolve)));
  assert.equal(await alone(() => "over it"), null);
  answer("a mask");
  assert.equal(await first, "a mask");
  assert.equal(await alone(() => "later"), "later");
});

test("one that fails does not stand in the way of the next", async () => {
  await assert.rejects(
    alone(async () => {
      throw new Error("no picture");
    }),
  );
  assert.equal(await alone(() => "next"), "next");
});
