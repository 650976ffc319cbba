// The pictures of a training: Undo takes back what was pressed, and nothing that was done since.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { plain } from "./load.mjs";

const path = fileURLToPath(new URL("../../../studio/ui/static/pictures.js", import.meta.url));
const source = readFileSync(path, "utf8");

/** An element, as far as the cards ask for one. */
function el(tag, attributes, ...children) {
  const node = { tag, ...attributes, children, classList: { add() {} } };
  node.replaceChildren = (...others) => (node.children = others);
  node.querySelectorAll = () => {
    const inside = node.children.flatMap((one) => [one, ...(one.querySelectorAll?.() ?? [])]);
    return inside.filter((one) => one.crop);
  };
  return Object.assign(node, tag === "img" && { naturalWidth: 2, naturalHeight: 1 });
}

/** The cards of these pictures, and the Undo buttons that stand there. */
function mounted(...names) {
  const undo = [];
  const studio = {
    el,
    undo,
    word: () => el("button"),
    button: () => el("button"),
    clone: (value) => JSON.parse(JSON.stringify(value ?? null)),
    placeBox: () => {},
    squareIn: (box, shape) => [0, 0, 1 / shape, 1],
    textEditor: () => ({ read: () => {}, mark: () => {}, element: el("div"), box: {} }),
    undoable: (_, back) => undo.push(back),
  };
  vm.runInContext(source, vm.createContext({ window: { studio } }));
  const thumbs = Object.fromEntries(names.map((name) => [name, "data:"]));
  const props = { value: { pictures: names.map((name) => ({ name, caption: "" })), thumbs } };
  const element = el("div");
  studio.mountPictures(element, props, () => {}, { most: 40, longest: 9 });
  const cards = studio.pictures;
  const said = () => props.value.pictures.map(({ name }) => name).join("");
  const remove = (name) => cards.keepOnly((other) => other.name !== name);
  const drop = (name) => {
    props.value = { pictures: [...cards.pictures, { name, caption: "" }], thumbs: {} };
    cards.read();
  };
  return { cards, undo, said, remove, drop, value: () => plain(props.value.pictures) };
}

test("what is written and dropped after a removal outlives its Undo", () => {
  const { cards, undo, said, remove, drop, value } = mounted("a", "b", "c");
  remove("b");
  cards.pictures[0].caption = "at sea";
  drop("d");
  undo[0]();
  assert.equal(said(), "abcd");
  assert.equal(value()[0].caption, "at sea");
});

test("two removals are taken back in either order, each to its place", () => {
  for (const [first, second] of ["bc", "cb"])
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { undo, said, remove } = mounted("a", "b", "c", "d");
      remove(first);
      remove(second);
      for (const one of order) undo[one]();
      assert.equal(said(), "abcd");
    }
});

test("one that was dropped anew stays as it is, and is there once", () => {
  const { cards, undo, said, remove, drop, value } = mounted("a", "b");
  remove("a");
  drop("a");
  cards.pictures[1].caption = "anew";
  undo[0]();
  assert.equal(said(), "ba");
  assert.equal(value()[1].caption, "anew");
});

test("Undo of all crops sets crops alone, but for one chosen since", () => {
  const { cards, undo, value, remove } = mounted("a", "b", "c");
  cards.pictures[0].crop = [0, 0, 0.25, 1];
  cards.cropAll((shape, box) => [0, 0, 1 / shape, 1]);
  assert.deepEqual(
    value().map(({ crop }) => crop),
    [
      [0, 0, 0.5, 1],
      [0, 0, 0.5, 1],
      [0, 0, 0.5, 1],
    ],
  );
  cards.pictures[0].caption = "at sea";
  cards.pictures[1].crop = [0, 0, 1, 0.5];
  remove("c");
  undo[0]();
  assert.deepEqual(value(), [
    { name: "a", caption: "at sea", crop: [0, 0, 0.25, 1] },
    { name: "b", caption: "", crop: [0, 0, 1, 0.5] },
  ]);
});
