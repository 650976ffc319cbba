// A press that the server did not hear.
import assert from "node:assert/strict";
import test from "node:test";
import { loadBeside } from "./load.mjs";

const components = [
  { id: 7, props: { elem_id: "gs-generate" } },
  { id: 8, props: { elem_id: "gs-history-view" } },
  { id: 9, props: { elem_id: "gs-train-files" } },
];
const body = (id) => JSON.stringify({ fn_index: 3, trigger_id: id, data: [] });

test("only what begins something is said to be lost", () => {
  const studio = loadBeside({}, "answers.js", "restarts.js");
  assert.ok(studio.begins(body(7), components));
  assert.ok(!studio.begins(body(8), components));
  assert.ok(!studio.begins(body(null), components));
  for (const broken of ["", undefined, "{", "[]"]) assert.ok(!studio.begins(broken, components));
});

test("what brings files is told apart from what begins something", () => {
  const studio = loadBeside({}, "answers.js", "restarts.js");
  assert.ok(studio.brings(body(9), components));
  assert.ok(!studio.begins(body(9), components));
  assert.ok(!studio.brings(body(7), components));
});

test("files that do not arrive fail with one reason, whatever the browser or a proxy says", async () => {
  const studio = loadBeside({}, "answers.js", "sending.js");
  const answers = [new TypeError("Failed to fetch"), new Response("", { status: 502 })];
  const fetch = studio.answersKept(async () => {
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  });
  const upload = () =>
    fetch("http://page/gradio_api/upload?upload_id=1").catch(({ message }) => {
      throw new Error(`Connection errored out. ${message}`); // as Gradio does
    });
  await assert.rejects(upload(), /^Error: Connection errored out. The studio did not answer$/);
  await assert.rejects(studio.sending(upload)({ size: 1 }), {
    message: "the studio did not answer",
  });
});

test("a request that nobody answers is told, and one that is answered", async () => {
  const said = [];
  const given = {
    unheard: (of) => said.push(["unheard", of]),
    heard: (of) => said.push(["heard", of]),
  };
  const studio = loadBeside(given, "answers.js");
  const answers = [new TypeError("gone"), new Response("", { status: 502 }), new Response("{}")];
  const fetch = studio.answersKept(async () => {
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  });
  const join = (of) => fetch("http://page/gradio_api/queue/join?", { body: of });
  await assert.rejects(join("one"), /gone/);
  await join("two");
  await join("three");
  assert.deepEqual(said, [
    ["unheard", "one"],
    ["unheard", "two"],
    ["heard", "three"],
  ]);
});
