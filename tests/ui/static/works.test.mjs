// What is made of pictures asks within the bounds of the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("sending.js", "works.js", "each.js");
const FIELDS = [
  { name: "count", value: 6, low: 1, high: 16 },
  { name: "factor", value: 2, low: 1.1, high: 8 },
  { name: "tiles", check: true },
];
const high = (fields) => Object.fromEntries(fields.map(({ name, high }) => [name, high]));

test("a page with bounds of its own asks for no more than it makes", () => {
  const shared = { count: 4, width: 768, height: 512 };
  const found = plain(studio.bounded(FIELDS, { width: 256, height: 256 }, (name) => shared[name]));
  assert.deepEqual(high(found), { count: 4, factor: 2, tiles: undefined });
  assert.equal(found[0].value, 4); // what it begins with fits too
  assert.deepEqual(found[2], FIELDS[2]);
});

test("of the library's models those of a kind can be chosen, where there are any", () => {
  const upscaler = { name: "upscaler", models: ["upscaler"], choices: [["", "none"]] };
  const fields = [FIELDS[0], upscaler];
  assert.deepEqual(plain(studio.withModels(fields, () => [])), [FIELDS[0]]);
  const [, found] = studio.withModels(fields, (kinds) => [[`4x ${kinds}`, "4x"]]);
  assert.deepEqual(plain(found.choices), [
    ["", "none"],
    ["4x upscaler", "4x"],
  ]);
});

test("elsewhere its own bounds hold", () => {
  const found = plain(studio.bounded(FIELDS, { width: 256, height: 256 }, () => Infinity));
  assert.deepEqual(found, FIELDS);
});

test("a picture as large as the page makes is not asked how much larger it should be", async () => {
  const said = [];
  studio.mostOf = () => 1; // of a file that is no picture the size is taken for 1
  studio.toast = (text) => said.push(text);
  const larger = studio.pictureWorks().find(({ label }) => /larger/i.test(label));
  await larger.take({});
  assert.deepEqual(said, ["The picture is as large as this page makes them"]);
});

test("of several pictures each that is left out is told with its own reason", async () => {
  const said = [];
  const made = [];
  const answers = {
    "huge.png": { error: "huge.png: 20000x20000 pixels; at most 64 megapixels" },
    "lost.png": { error: "The image could not be uploaded (500)" },
    "good.png": { image: "inputs/good.png", sent: { path: "good.png" } },
  };
  studio.toast = (text) => said.push(text);
  studio.stack = { images: { store: async ({ name }) => answers[name] } };
  studio.newest = () => () => {};
  studio.mountWorks((name, asked) => made.push([name, plain(asked.images)]));
  studio.start = { init: { image: "inputs/a.png", strength: 0.4 } }; // which says how strongly
  await studio.makeEach(
    "init.image",
    Object.keys(answers).map((name) => ({ name })),
  );
  const reasons =
    "huge.png: 20000x20000 pixels; at most 64 megapixels · " +
    "lost.png: The image could not be uploaded (500)";
  assert.deepEqual(said, [`Cannot be read and left out: ${reasons}`]);
  const good = { image: "inputs/good.png", name: "good.png", picture: { path: "good.png" } };
  assert.deepEqual(made, [["submit", [good]]]);
  const many = Array.from({ length: 20 }, (_, at) => [`${at}.png`, "is empty"]);
  assert.match(studio.leftOut(many), /5\.png: is empty · and 14 more$/);
});

test("how strongly several pictures are changed is asked where no start picture says it", async () => {
  const made = [];
  const asked = [];
  studio.stack = { images: { store: async ({ name }) => ({ image: name, sent: {} }) } };
  studio.newest = () => () => {};
  studio.mountWorks((_, { field, strength }) => made.push([field, strength]));
  studio.askNumbers = async ({ fields }) => (asked.push(fields[0].name), { strength: 0.4 });
  studio.start = { init: null };
  await studio.makeEach("init.image", [{ name: "a.png" }]);
  await studio.makeEach("rows.0.image", [{ name: "a.png" }]);
  studio.start = { init: { strength: 0.9 } };
  await studio.makeEach("init.image", [{ name: "a.png" }]);
  studio.start = { init: null };
  studio.askNumbers = async () => null; // cancelled
  await studio.makeEach("init.image", [{ name: "a.png" }]);
  assert.deepEqual(made, [
    ["init.image", 0.4],
    ["rows.0.image", undefined],
    ["init.image", undefined],
  ]);
  assert.deepEqual(asked, ["strength"]);
});

test("many pictures of the history are asked for once, by their ids", async () => {
  const made = [];
  const asked = [];
  studio.newest = () => () => {};
  studio.stack = { models: { options: () => [] } };
  studio.mountWorks((name, request) => made.push([name, plain(request)]));
  studio.askNumbers = async (of) => (asked.push(of), { factor: 2, strength: 0.3 });
  await studio.largerEach({ ids: ["b", "a", "c"] });
  assert.equal(asked[0].title, "3 larger ones");
  assert.deepEqual(made, [
    ["submit", { do: "larger", ids: ["b", "a", "c"], factor: 2, strength: 0.3 }],
  ]);
  studio.askNumbers = async () => null; // cancelled
  await studio.largerEach({ ids: ["b"] });
  assert.equal(made.length, 1);
});

test("files are made larger one by one, and one that cannot be uploaded keeps none of the others", async () => {
  const made = [];
  const said = [];
  studio.toast = (text) => said.push(text);
  const upload = async ({ name }) => {
    if (name === "lost.png") throw new Error("500");
    return { path: `/up/${name}` };
  };
  studio.mountWorks((name, request) => made.push(plain(request)), upload);
  studio.askNumbers = async () => ({ factor: 2, strength: 0 });
  const files = ["a.png", "lost.png", "b.png"].map((name) => ({ name }));
  await studio.largerEach({ files });
  const sent = (name) => ({
    name,
    picture: { path: `/up/${name}`, meta: { _type: "gradio.FileData" } },
  });
  const images = [sent("a.png"), sent("b.png")];
  assert.deepEqual(made, [{ do: "larger", images, factor: 2, strength: 0 }]);
  assert.deepEqual(said, ["Cannot be read and left out: lost.png: could not be uploaded (500)"]);
});
