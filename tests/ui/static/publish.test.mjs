// Publishing: what was looked at goes out, and nothing that was changed after the look.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load } from "./load.mjs";

const path = fileURLToPath(
  new URL("../../../studio/ui/static/gallery/publish.js", import.meta.url),
);

/** The part of the page, with its boxes, and what the server is told. */
function desk() {
  const made = [];
  const el = (tag, attributes, ...children) => {
    const node = { tag, dataset: {}, children, textContent: "", ...attributes };
    node.replaceChildren = (...inside) => (node.children = inside);
    made.push(node);
    return node;
  };
  const heard = {};
  const clone = (value) => JSON.parse(JSON.stringify(value));
  const { newest } = load("dom.js");
  const on = (name, callback) => (heard[name] = callback);
  const studio = { el, clone, newest, on, noted: () => null };
  vm.runInContext(readFileSync(path, "utf8"), vm.createContext({ window: { studio } }));
  const [props, told] = [{ value: {} }, []];
  let draw;
  studio.mountPublishing(
    el("div"),
    props,
    (name) => told.push(name),
    (_, then) => (draw = then),
  );
  const find = (test) => made.findLast(test);
  const shown = find((node) => node.class === "gs-publish");
  const answer = {
    state: "looked",
    files: [{ name: "a.json", bytes: 3 }],
    warnings: [],
    to: "/folder",
    json: "{}",
  };
  return {
    told,
    to: find((node) => node.class === "gs-gallery-source"),
    picture: find((node) => node.class === "gs-check"),
    said: () => find((node) => node.class === "gs-gallery-said").textContent,
    form: (text) => heard.form(text),
    look() {
      find((node) => node.onclick && node.class === "gs-word").onclick();
      props.value = answer;
      draw();
    },
    late: () => draw(),
    offered: () => shown.children.some((node) => node.class?.includes("gs-publish-go")),
  };
}

test("a look is over once the place, the picture or the form has changed", () => {
  const page = desk();
  page.form("one");
  for (const change of [
    () => page.to.oninput(),
    () => page.picture.onchange(),
    () => page.form("two"),
  ]) {
    page.look();
    assert.ok(page.offered());
    change();
    assert.ok(!page.offered());
    assert.match(page.said(), /^Changed since you looked/);
    page.late(); // an answer that comes after the change
    assert.ok(!page.offered());
    page.form("one");
  }
  assert.deepEqual(page.told, ["select", "select", "select"]);
});

test("the same form once more changes nothing", () => {
  const page = desk();
  page.form("one");
  page.look();
  page.form("one");
  assert.ok(page.offered());
});
