// Strokes on a canvas: whose they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const studio = load("paint_strokes.js");

/** A node that says what is painted on it, and a way to press there. */
function canvas() {
  const node = new EventTarget();
  const painted = [];
  const strokes = studio.strokesOn(node, {
    begin({ at }) {
      strokes.rest(); // as what keeps the canvas for an undo does
      painted.push([at]);
    },
    move: ({ at }) => painted.at(-1).push(at),
  });
  const send = (kind, pointerId, at) =>
    node.dispatchEvent(Object.assign(new Event(`pointer${kind}`), { pointerId, at }));
  return { painted, strokes, send };
}

test("a second finger neither paints nor ends the stroke of the first", () => {
  const { painted, send } = canvas();
  send("down", 1, "a");
  send("down", 2, "far");
  send("move", 2, "further");
  send("move", 1, "b");
  send("up", 2);
  send("move", 1, "c");
  send("up", 1);
  send("move", 1, "d"); // lifted
  assert.deepEqual(painted, [["a", "b", "c"]]);
  send("down", 2, "e"); // now it is the first
  send("move", 2, "f");
  assert.deepEqual(painted.at(-1), ["e", "f"]);
});

test("a stroke that is ended early paints on with the next press alone", () => {
  const { painted, strokes, send } = canvas();
  send("down", 1, "a");
  strokes.rest();
  send("move", 1, "b");
  assert.deepEqual(painted, [["a"]]);
  send("down", 1, "c");
  send("move", 1, "d");
  assert.deepEqual(painted, [["a"], ["c", "d"]]);
});

test("a pointer that was taken away ends its stroke", () => {
  for (const end of ["pointercancel", "lostpointercapture"]) {
    const node = new EventTarget();
    const seen = [];
    studio.strokesOn(node, { begin: () => seen.push("begin"), move: () => seen.push("move") });
    const tell = (kind, pointerId) =>
      node.dispatchEvent(Object.assign(new Event(kind), { pointerId }));
    tell("pointerdown", 1);
    tell(end, 1);
    tell("pointermove", 1);
    tell("pointerdown", 2);
    assert.deepEqual(seen, ["begin", "begin"]);
  }
});
