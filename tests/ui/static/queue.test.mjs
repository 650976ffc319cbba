// What the dock says of works beside the queue.
import assert from "node:assert/strict";
import test from "node:test";
import { loadBeside, plain } from "./load.mjs";

const told = [];
const heard = {};
const studio = loadBeside(
  {
    noted: () => "0",
    filled: { then() {} },
    on: (name, hear) => (heard[name] = hear),
    emit: (name, value) => told.push([name, value]),
  },
  "queue.js",
);
const lines = (works) => plain(works.lines());

test("a work is said while it runs, and how it ended until the next run", () => {
  const works = studio.worksBeside();
  works.on("Sweep", { state: "running", text: "5 of 18" });
  works.on("Search for ω", { state: "running", text: "Picture 1 of 12" });
  works.settle();
  assert.deepEqual(lines(works), ["Sweep: 5 of 18", "Search for ω: Picture 1 of 12"]);
  works.on("Sweep", { state: "stopped", text: "Stopped: 6 of 18 pictures are made." });
  assert.equal(lines(works)[0], "Sweep: Stopped: 6 of 18 pictures are made.");
  works.settle();
  assert.deepEqual(lines(works), ["Search for ω: Picture 1 of 12"]);
});

test("Cancel ends a sweep and a search too, as long as one of them goes on", () => {
  const works = studio.worksBeside();
  assert.equal(works.run(), false);
  works.on("Sweep", { state: "running", text: "" }); // before it has anything to say
  works.on("Search for ω", { state: "idle", text: "" });
  assert.equal(works.run(), true);
  works.on("Search for ω", { state: "running", text: "Picture 1 of 12" });
  works.on("Sweep", { state: "done", text: "12 of 12 pictures are made." });
  assert.equal(works.run(), true);
  works.on("Search for ω", { state: "stopped", text: "Stopped." });
  assert.equal(works.run(), false);
});

test("what had ended when the page was opened is no news", () => {
  const works = studio.worksBeside();
  works.on("Sweep", { state: "stopped", text: "Stopped: 6 of 18 pictures are made." });
  works.on("Search for ω", { state: "idle", text: "" });
  assert.deepEqual(lines(works), []);
});

test("how far a sweep is is told for the title of the tab", () => {
  const percent = (made, total) => {
    heard.sweep({ state: "running", text: "…", made, total });
    return told.findLast(([name]) => name === "work")[1].percent;
  };
  assert.deepEqual([percent(), percent(0, 18), percent(5, 18), percent(18, 18)], [0, 0, 27, 100]);
  assert.equal(told.at(-1)[1].name, "Sweep");
});
