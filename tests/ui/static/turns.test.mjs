// One question at a time: what is asked meanwhile waits, and nothing waits for ever.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

/** Turns whose questions are kept in `sent`, and whose patience ends when `tire` is called. */
function turns() {
  const sent = [];
  let tired = null;
  const later = (act) => {
    tired = act;
    return () => (tired = null);
  };
  const made = load("history/turns.js").inTurn((request) => sent.push(plain(request)), 10, later);
  return { ...made, sent, tire: () => tired?.() };
}
const asked = (sent) => sent.map((one) => one.do);

test("a question waits until the one before is answered", () => {
  const { ask, answered, sent } = turns();
  ask({ do: "page" });
  ask({ do: "open" });
  assert.deepEqual(asked(sent), ["page"]);
  assert.ok(answered(sent[0].turn));
  assert.deepEqual(asked(sent), ["page", "open"]);
  assert.ok(!answered(sent[0].turn));
  assert.ok(answered(sent[1].turn));
  ask({ do: "mark" });
  assert.deepEqual(asked(sent), ["page", "open", "mark"]);
});

test("of two that are about the same the newer is asked, and no other is left out", () => {
  const { ask, answered, sent } = turns();
  ask({ do: "open" });
  ask({ do: "page", key: "1" }, "page 0");
  ask({ do: "mark" });
  ask({ do: "page", key: "2" }, "page 0");
  for (const one of sent) answered(one.turn);
  assert.deepEqual(asked(sent), ["open", "mark", "page"]);
  assert.equal(sent[2].key, "2");
});

test("a question that is not answered does not hold up the others", () => {
  const { ask, tire, sent } = turns();
  ask({ do: "zip" });
  ask({ do: "page" });
  tire();
  assert.deepEqual(asked(sent), ["zip", "page"]);
});

test("what is not answered yet is known in its order", () => {
  const { ask, answered, unanswered, sent } = turns();
  for (const what of ["page", "mark", "delete"]) ask({ do: what });
  assert.deepEqual(asked(plain(unanswered())), ["page", "mark", "delete"]);
  answered(sent[0].turn);
  assert.deepEqual(asked(plain(unanswered())), ["mark", "delete"]);
  answered(sent[1].turn);
  answered(sent[2].turn);
  assert.deepEqual(plain(unanswered()), []);
});
