// The list of earlier sweeps: which look counts, and what remains where one is removed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadIn } from "./load.mjs";

/** A node with what it was given, of which the first button or summary can be found. */
function el(kind, given, ...children) {
  const node = { kind, ...given, children: children.filter(Boolean) };
  node.replaceChildren = (...next) => (node.children = next);
  node.remove = () => (node.removed = true);
  node.focus = () => (el.focused = node);
  const all = () => node.children.flatMap((one) => [one, ...(one.all?.() ?? [])]);
  node.all = all;
  node.querySelector = () => all().find((one) => ["button", "summary"].includes(one.kind));
  return node;
}

function fold(answers) {
  const removed = [];
  const given = {
    ...{ el, toast() {}, button: (_, label, onclick) => el("bin", { label, onclick }) },
    fieldInWords: (field) => field,
    say: (text) => text,
  };
  const page = { documentElement: { lang: "en" } };
  const studio = loadIn({ document: page, confirm: () => true }, given, "sweep/earlier.js");
  const fetch = (asked) => new Promise((resolve) => answers.push({ asked, resolve }));
  const shown = studio.earlierSweeps({
    ...{ fetch, titles: {}, open() {} },
    removed: (stem) => removed.push(stem),
  });
  const [, said, list] = shown.element.children;
  shown.element.open = true;
  return { ...shown, said, list, removed };
}

const sweep = (stem) => ({ stem, name: stem, axes: [], made: 1, total: 1, when: 1, src: "" });
const rest = () => new Promise((resolve) => setTimeout(resolve));
const names = (list) =>
  list.children
    .filter((one) => !one.removed)
    .map((one) => one.all().find((part) => part.kind === "strong").children[0]);

test("of two looks the later one counts, and the fold says that it looks", async () => {
  const answers = [];
  const { look, said, list } = fold(answers);
  look();
  assert.equal(said.textContent, "Looking …");
  look();
  answers[1].resolve({ sweeps: [sweep("new")] });
  await rest();
  answers[0].resolve({ sweeps: [sweep("old"), sweep("older")] });
  await rest();
  assert.deepEqual(names(list), ["new"]);
  assert.equal(said.hidden, true);
});

test("what is removed leaves its line alone, and the keyboard on the next", async () => {
  const answers = [];
  const { look, list, removed, element } = fold(answers);
  look();
  answers[0].resolve({ sweeps: ["a", "b", "c"].map(sweep) });
  await rest();
  async function remove(at, name) {
    list.children[at]
      .all()
      .find((one) => one.kind === "bin")
      .onclick();
    assert.deepEqual({ ...answers.at(-1).asked }, { stem: name });
    answers.at(-1).resolve({ removed: name });
    await rest();
  }
  await remove(1, "b");
  assert.equal(answers.length, 2); // no look at all of them again
  assert.deepEqual(names(list), ["a", "c"]);
  assert.equal(el.focused, list.children[2].querySelector());
  await remove(2, "c");
  assert.equal(el.focused, list.children[0].querySelector());
  await remove(0, "a");
  assert.equal(el.focused, element.querySelector());
  assert.deepEqual(removed, ["b", "c", "a"]);
});
