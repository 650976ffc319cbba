// Answers that hold all that there is: the one given last stands, in whatever order they come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

/** What a component holds, and how the server's answers come to it. */
function component(value) {
  const given = { value, label: "a list" };
  const heard = [];
  const props = load("dom.js").lastGiven(given, (_, tell) => heard.push(tell));
  const drawn = [];
  heard.push(() => drawn.push(props.value.items));
  const answer = (next) => {
    given.value = next;
    for (const tell of heard) tell();
  };
  return { props, given, drawn, answer };
}

test("an answer that another has overtaken draws nothing old", () => {
  const { drawn, answer } = component({ items: 3, stamp: 1 });
  answer({ items: 1, stamp: 30 });
  answer({ items: 2, stamp: 20 });
  answer({ items: 0, stamp: 40 });
  assert.deepEqual(drawn, [1, 1, 0]);
});

test("what has no stamp, and what the script itself sets, stands", () => {
  const { props, given, drawn, answer } = component({});
  answer({ items: 1, stamp: 30 });
  props.value = { items: 5 };
  assert.equal(given.value.items, 5);
  assert.equal(props.value.items, 5);
  assert.equal(props.label, "a list");
  answer({ items: 2, stamp: 10 });
  assert.deepEqual(drawn, [1, 2]);
});
