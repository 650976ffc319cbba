// What is chosen in the History: a range, and all that is found, as their answers come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadIn } from "./load.mjs";

/** The tab among parts that only note what it does with them. */
function history() {
  const [sent, page, parts] = [[], {}, {}];
  const node = { replaceChildren() {} };
  const grid = { total: () => 9, redraw() {}, reset() {}, fill() {}, node };
  const given = {
    el: () => ({ hidden: false, textContent: "" }),
    newest: () => () => {},
    historyFilters: (changed) => ((parts.search = changed), { query: () => ({}), offer() {} }),
    virtualGrid: () => grid,
    gridSizes() {},
    historyCell: (tools) => (parts.tools = tools),
    historyKeys() {},
    historyActions: (tools) => {
      parts.actions = tools;
      return { draw: (chosen) => (parts.chosen = [...chosen]) };
    },
    ...{ keepsAsking() {}, on() {}, historyNone: () => "" },
  };
  class IntersectionObserver {
    observe() {}
  }
  const things = { IntersectionObserver, setTimeout() {}, clearTimeout() {} };
  const studio = loadIn(things, given, "history/turns.js", "history/view.js");
  studio.toldOfHistory = () => {};
  studio.mountHistory(
    node,
    page,
    (_, request) => sent.push(request),
    (_, act) => (page.changed = act),
    {},
  );
  /** Answer the question that is open. */
  function answer(what) {
    const { turn, key } = sent.at(-1);
    const value = Object.fromEntries(Object.entries(what).map(([of, to]) => [of, { ...to, key }]));
    page.value = { turn, ...value };
    page.changed();
  }
  return { sent, parts, answer };
}

test("of two ranges none is lost, nor by a look at the grid or another search meanwhile", () => {
  const { sent, parts, answer } = history();
  const { tools, actions } = parts;
  tools.choose({ id: "a" }, true);
  tools.chooseTo({ id: "c" });
  actions.chooseAll();
  tools.chooseTo({ id: "f" });
  parts.search();
  assert.deepEqual({ ...sent.at(-1).ends }, { 0: "a", 1: "c" });
  answer({ range: { ids: ["a", "b", "c"] } });
  answer({ range: { ids: ["x", "y"] } }); // all
  assert.deepEqual({ ...sent.at(-1).ends }, { 0: "c", 1: "f" });
  answer({ range: { ids: ["c", "d", "e", "f"] } });
  assert.deepEqual([...parts.chosen].sort(), [..."abcdefxy"]);
  // What the new search leaves out of them is counted anew.
  answer({ among: { gone: [], unseen: 1 } }); // of those that were chosen before the last answer
  const last = sent.at(-1);
  assert.equal(last.do, "among");
  assert.deepEqual([...last.ids].sort(), [..."abcdefxy"]);
});

test("a range that comes once all has been let go chooses nothing", () => {
  const { parts, answer } = history();
  parts.actions.chooseAll();
  parts.actions.chooseNone();
  answer({ range: { ids: ["a", "b"] } });
  assert.deepEqual(parts.chosen, []);
});
