// Strokes on a canvas: whose they are, and how they are taken back and done again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

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

test("the middle button paints nothing", () => {
  const node = new EventTarget();
  const seen = [];
  studio.strokesOn(node, { begin: () => seen.push("begin"), move: () => seen.push("move") });
  for (const button of [1, 0])
    node.dispatchEvent(Object.assign(new Event("pointerdown"), { pointerId: 1, button }));
  assert.deepEqual(seen, ["begin"]);
});

test("a brush grows and shrinks by parts of itself, at least by one, within its bounds", () => {
  const { brushAfter } = load("paint_near.js");
  const bounds = { min: "2", max: "100" };
  assert.equal(brushAfter(25, false, bounds), 29);
  assert.equal(brushAfter(25, true, bounds), 22);
  assert.equal(brushAfter(3, false, bounds), 4);
  assert.equal(brushAfter(3, true, bounds), 2);
  assert.equal(brushAfter(2, true, bounds), 2);
  assert.equal(brushAfter(99, false, bounds), 100);
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

/** Steps over canvases that hold one text each. */
function painting(most = 20) {
  const steps = studio.paintSteps(
    most,
    (canvas) => canvas.text,
    (canvas, text) => (canvas.text = text),
  );
  const paint = (canvas, text) => {
    steps.remember(canvas);
    canvas.text += text;
  };
  return { steps, paint };
}
const ways = (steps) => ({ ...steps.ways() });

test("what was taken back is done again, on the canvas that it was on", () => {
  const { steps, paint } = painting();
  const [one, two] = [{ text: "" }, { text: "" }];
  paint(one, "a");
  paint(two, "b");
  paint(one, "c");
  steps.undo();
  steps.undo();
  assert.deepEqual([one.text, two.text], ["a", ""]);
  assert.deepEqual([steps.painted(one), steps.painted(two)], [true, false]);
  assert.deepEqual(ways(steps), { undo: 1, redo: 2 });
  steps.redo();
  assert.deepEqual([one.text, two.text, steps.painted(two)], ["a", "b", true]);
  steps.redo();
  steps.redo(); // there is no more
  assert.deepEqual([one.text, two.text], ["ac", "b"]);
  assert.deepEqual(ways(steps), { undo: 3, redo: 0 });
});

test("a new stroke leaves nothing to be done again", () => {
  const { steps, paint } = painting();
  const one = { text: "" };
  paint(one, "a");
  steps.undo();
  paint(one, "b");
  steps.redo();
  assert.equal(one.text, "b");
});

test("strokes that are forgotten are painted all the same", () => {
  const { steps, paint } = painting(2);
  const one = { text: "" };
  for (const text of "abc") paint(one, text);
  for (let times = 0; times < 4; times++) steps.undo();
  assert.equal(one.text, "a");
  assert.ok(steps.painted(one) && steps.painted());
});

test("two fingers that come together zoom, and what the first began is no stroke", () => {
  const near = load("paint_near.js", "zoom.js");
  const node = new EventTarget();
  const seen = [];
  near.twoFingers(node, {
    place: ({ at }) => at,
    painting: () => strokes.whose(),
    began(painted) {
      seen.push(painted ? "zoom" : "zoom alone");
      strokes.rest(); // as what withdraws it does
    },
    moved: (before, now) => seen.push([before, now]),
  });
  const begin = () => seen.push("begin");
  const strokes = studio.strokesOn(node, { begin, move: () => seen.push("move") });
  let pointerType = "touch";
  const send = (kind, pointerId, timeStamp, at) => {
    const event = new Event(`pointer${kind}`);
    Object.defineProperties(event, { timeStamp: { value: timeStamp } });
    node.dispatchEvent(Object.assign(event, { pointerId, pointerType, at, button: 0 }));
  };
  send("down", 1, 0, "a");
  send("move", 1, 10, "b");
  send("down", 2, 200, "c");
  send("move", 2, 210, "d");
  send("up", 1, 220);
  send("move", 2, 230, "e"); // one is left: neither a stroke nor a zoom
  send("down", 3, 900, "f");
  send("move", 3, 910, "g");
  for (const finger of [2, 3]) send("up", finger, 920);
  const both = (...places) => [places.slice(0, 2), places.slice(2)];
  const expected = ["begin", "move", "zoom", both("b", "c", "b", "d"), both("e", "f", "e", "g")];
  assert.deepEqual(plain(seen), expected);
  seen.length = 0; // a hand that comes down while a stroke is painted does nothing
  send("down", 4, 1000, "a");
  send("down", 5, 2000, "b");
  send("move", 4, 2010, "c");
  for (const finger of [4, 5]) send("up", finger, 2020);
  pointerType = "mouse";
  send("down", 6, 3000, "a");
  assert.equal(seen.filter((one) => one === "zoom").length, 0);
  assert.deepEqual(seen.at(-1), "begin");
  send("up", 6, 3010);
  seen.length = 0; // a hand comes down beside the pen that paints
  pointerType = "pen";
  send("down", 7, 4000, "a");
  pointerType = "touch";
  send("down", 8, 4100, "b");
  send("down", 9, 4150, "c");
  send("move", 8, 4160, "d");
  pointerType = "pen";
  send("move", 7, 4170, "e");
  assert.deepEqual(seen, ["begin", "move"]);
  send("up", 7, 4180);
  pointerType = "touch";
  for (const finger of [8, 9]) send("up", finger, 4190);
  send("down", 1, 5000, "a");
  strokes.rest(); // as a press of a key does
  send("down", 2, 5100, "b");
  assert.equal(seen.at(-1), "zoom alone");
});

test("what a stroke cut off is let go once it has ended", () => {
  const { steps, paint } = painting();
  const one = { text: "" };
  paint(one, "a");
  steps.undo();
  paint(one, "b");
  const node = new EventTarget();
  studio.strokesOn(node, { begin() {}, move() {}, end: () => steps.settle() });
  for (const kind of ["down", "up"])
    node.dispatchEvent(Object.assign(new Event(`pointer${kind}`), { pointerId: 1 }));
  steps.withdraw();
  assert.deepEqual(ways(steps), { undo: 0, redo: 0 });
  paint(one, "c");
  paint(one, "d"); // of the last step alone
  steps.undo();
  paint(one, "e");
  steps.undo();
  steps.withdraw();
  assert.deepEqual(ways(steps), { undo: 0, redo: 0 });
});

test("a stroke that is withdrawn leaves what could be done again", () => {
  const { steps, paint } = painting();
  const one = { text: "" };
  paint(one, "a");
  paint(one, "b");
  steps.undo();
  paint(one, "."); // a finger that was the first of two
  steps.withdraw();
  assert.equal(one.text, "a");
  assert.deepEqual(ways(steps), { undo: 1, redo: 1 });
  steps.redo();
  assert.equal(one.text, "ab");
  const bare = painting().steps;
  bare.withdraw();
  assert.deepEqual(ways(bare), { undo: 0, redo: 0 });
});
