// A result as the picture of a model: what the server answers is asked, said and can be undone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadBeside, plain } from "./load.mjs";

test("which model is asked, a press gives it, and Undo takes it back", () => {
  const sent = [];
  const asked = [];
  const undone = [];
  const said = [];
  const heard = {};
  const studio = loadBeside(
    {
      el: () => ({}),
      on: (name, act) => (heard[name] = act),
      askChoice: (title, shown, choices) => asked.push(...choices),
      toast: (text) => said.push(text),
      undoable: (text, undo) => undone.push([text, undo]),
    },
    "model_picture.js",
  );
  studio.mountModelPictures((name, value) => sent.push([name, plain(value)]));
  heard.previews({ pictures: { a: "data:" } }); // of a list that was looked at
  assert.equal(asked.length + undone.length, 0);
  const picture = { path: "/up/a.png" };
  const choices = [
    { id: "a", title: "Ink", has: false },
    { id: "b", title: "Oil", has: true, own: true },
  ];
  heard.previews({ choices, picture });
  assert.deepEqual(
    asked.map(({ label }) => label),
    [
      "Ink",
      "Oil, in place of the one that it has",
      "Oil: without the picture that was given to it",
    ],
  );
  asked[1].take();
  heard.previews({ pictures: { b: "data:" }, given: { id: "b", title: "Oil", mark: "m" } });
  assert.match(undone[0][0], /Oil/);
  undone[0][1]();
  asked[2].take();
  heard.previews({ pictures: {}, taken: { id: "b", title: "Oil", mark: "" } });
  undone[1][1]();
  assert.deepEqual(sent, [
    ["depict", { id: "b", picture }],
    ["depict", { id: "b", back: "m" }],
    ["depict", { id: "b", bare: true }],
    ["depict", { id: "b", back: "" }],
  ]);
  heard.previews({ pictures: {}, late: false });
  heard.previews({ pictures: {}, late: true });
  assert.deepEqual(said, ["The model has another picture by now, which stays."]);
});
