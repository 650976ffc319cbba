// What is dropped on the page: a folder stands for its pictures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadBeside, plain } from "./load.mjs";

const told = [];
const studio = loadBeside(
  {
    isPicture: ({ name }) => /\.(png|jpg)$/.test(name),
    toast: (text) => told.push(text),
  },
  "dropped.js",
);
const file = (name) => ({ name, isFile: true, file: (done) => done({ name }) });
function folder(name, ...entries) {
  const parts = [entries.slice(0, 2), entries.slice(2)].filter(({ length }) => length);
  return {
    name,
    isDirectory: true,
    createReader: () => ({ readEntries: (done) => done(parts.shift() || []) }),
  };
}
const names = async (...entries) => {
  const items = entries.map((entry) => ({ kind: "file", webkitGetAsEntry: () => entry }));
  const files = entries.map(({ name }) => ({ name }));
  return plain((await studio.filesDropped({ items, files })).map(({ name }) => name));
};

test("a folder's pictures come by name, and not those of folders in it", async () => {
  const pictures = folder("pictures", ...["10.png", "a.txt", "2.jpg", ".b.png"].map(file));
  assert.deepEqual(await names(file("x.png"), pictures), ["x.png", "2.jpg", "10.png"]);
  assert.deepEqual(await names(folder("more", folder("in.png"), file("y.png"))), ["y.png"]);
  assert.deepEqual(told, []);
});

test("a folder that holds none, or cannot be read, is told of", async () => {
  const closed = {
    ...folder("closed"),
    createReader: () => ({ readEntries: (_, fail) => fail() }),
  };
  assert.deepEqual(await names(folder("empty"), closed), []);
  assert.deepEqual(told.sort(), ["closed holds no picture.", "empty holds no picture."]);
});

test("what the page does not open is refused in words, a model by where it goes", () => {
  const accepted = ".json, .csv, .png, .JPG";
  for (const name of ["a.json", "b.PNG", "c.jpg"])
    assert.equal(studio.notOpened(name, accepted), "");
  assert.match(studio.notOpened("ink.safetensors", accepted), /^ink.safetensors is a model's file/);
  assert.match(studio.notOpened("a.zip", accepted), /^a.zip is not opened here: presets/);
  assert.match(studio.notOpened("json", accepted), /is not opened/);
});

test("files alone are as they were, also where a browser knows of no folders", async () => {
  assert.deepEqual(await names(file("a.json"), file("b.txt")), ["a.json", "b.txt"]);
  assert.deepEqual(plain(await studio.filesDropped({ files: [{ name: "a" }] })), [{ name: "a" }]);
});
