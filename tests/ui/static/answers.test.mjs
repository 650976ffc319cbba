// The stream of answers: it ends where nothing is owed, and only there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const message = (msg, event_id) => `data: ${JSON.stringify({ msg, event_id })}\n\n`;
const END = message("close_stream");

/** A server: events by number, and streams that say what they are given and then end. */
function server(...streams) {
  const opened = [];
  const cut = []; // streams that were left before they came to their end
  let events = 0;
  async function fetch(input, init) {
    const { pathname } = new URL(input.url ?? input, "http://page");
    if (pathname.endsWith("/queue/join")) {
      await init?.late;
      return Response.json({ event_id: `event ${++events}` });
    }
    if (!pathname.endsWith("/queue/data")) return new Response(`plain ${pathname}`);
    const parts = streams[opened.length];
    opened.push(pathname);
    if (!parts) return new Response("gone", { status: 404 });
    const body = new ReadableStream({
      async start(controller) {
        for (const part of parts)
          if (typeof part === "string") controller.enqueue(new TextEncoder().encode(part));
          else await part();
        controller.close();
      },
      cancel: () => void cut.push(pathname),
    });
    return new Response(body);
  }
  return { fetch: load("answers.js").answersKept(fetch), opened, cut };
}

async function heard(fetch, input = "http://page/queue/data?session_hash=a") {
  return (await fetch(input)).text();
}

test("a stream that owes nothing ends as it did", async () => {
  const { fetch, opened } = server([message("process_completed", "event 1"), END]);
  await fetch("/queue/join", {});
  assert.equal(await heard(fetch), message("process_completed", "event 1") + END);
  assert.equal(opened.length, 1);
});

test("what was asked for while it ended is heard", async () => {
  let ask;
  const first = [message("process_completed", "event 1"), () => ask(), END];
  const second = [
    message("process_generating", "event 2"),
    message("process_completed", "event 2"),
    END,
  ];
  const { fetch, opened } = server(first, second);
  ask = () => fetch("/queue/join", {});
  await fetch("/queue/join", {});
  const text = await heard(fetch, new Request("http://page/gradio_api/queue/data?session_hash=a"));
  assert.equal(text, [first[0], ...second].join(""));
  assert.equal(opened.length, 2);
});

test("an end waits for a request that is under way", async () => {
  let join;
  const first = [() => ((join = server_.fetch("/queue/join", {})), undefined), END];
  const server_ = server(first, [message("process_completed", "event 1"), END]);
  const text = await heard(server_.fetch);
  await join;
  assert.equal(text, message("process_completed", "event 1") + END);
});

test("a stream is heard to its end, and cut off nowhere", async () => {
  const slow = () => new Promise((done) => setTimeout(done, 20));
  const { fetch, opened, cut } = server([message("process_completed", "event 1"), END, slow]);
  await fetch("/queue/join", {});
  await heard(fetch);
  assert.deepEqual([opened.length, cut.length], [1, 0]);
});

test("a stream that the page leaves is left", async () => {
  const never = () => new Promise(() => {});
  const { fetch, cut } = server([message("process_generating", "event 1"), never]);
  const reader = (await fetch("http://page/queue/data?session_hash=a")).body.getReader();
  await reader.read();
  await reader.cancel();
  assert.equal(cut.length, 1);
});

test("what has ended before its name was heard is not waited for", async () => {
  let name;
  const parts = [message("process_completed", "event 1"), () => void name(), END];
  const late = new Promise((done) => (name = done));
  const { fetch, opened } = server(parts);
  const join = fetch("/queue/join", { late });
  assert.equal(await heard(fetch), parts[0] + END);
  await join;
  assert.equal(opened.length, 1);
});

test("messages may come in pieces, and letters too", async () => {
  const bytes = 'data: {"msg":"estimation","text":"ω"}\n\n';
  const { fetch } = server([bytes.slice(0, 9), bytes.slice(9, -1), "\n", END]);
  assert.equal(await heard(fetch), bytes + END);
});

test("a stream that breaks off breaks off", async () => {
  const { fetch } = server([message("process_generating", "event 1")]);
  await fetch("/queue/join", {});
  assert.equal(await heard(fetch), message("process_generating", "event 1"));
});

test("a server that has gone is an error, not an end", async () => {
  const { fetch } = server([END]);
  await fetch("/queue/join", {});
  await assert.rejects(heard(fetch), /404/);
});

/** A page whose requests of a function are answered when `open[name]` is called. */
function held() {
  const open = {};
  const fetch = load("answers.js").answersKept(
    (_, { name }) => new Promise((...ends) => (open[name] = ends)),
  );
  const came = [];
  const ask = (name, fn_index) =>
    fetch("http://page/run/predict", { name, body: JSON.stringify({ data: [], fn_index }) })
      .then((answer) => answer.text())
      .then((text) => came.push(text));
  return { open, ask, came };
}
const moment = () => new Promise((done) => setTimeout(done, 10));

test("answers of one function come in the order of their questions", async () => {
  const { open, ask, came } = held();
  const asked = [ask("a1", 7), ask("a2", 7), ask("b1", 8), ask("a3", 7)];
  for (const name of ["a3", "b1", "a2"]) {
    open[name][0](new Response(name));
    await moment();
  }
  assert.deepEqual(came, ["b1"]);
  open.a1[0](new Response("a1"));
  await Promise.all(asked);
  assert.deepEqual(came, ["b1", "a1", "a2", "a3"]);
});

test("an answer has come when all of it has", async () => {
  const { open, ask, came } = held();
  const asked = [ask("a1", 7), ask("a2", 7)];
  let rest;
  const slow = new ReadableStream({ start: (controller) => void (rest = controller) });
  open.a1[0](new Response(slow));
  open.a2[0](new Response("a2"));
  await moment();
  assert.deepEqual(came, []);
  rest.enqueue(new TextEncoder().encode("a1"));
  rest.close();
  await Promise.all(asked);
  assert.deepEqual(came, ["a1", "a2"]);
});

test("an answer that failed holds up no other", async () => {
  const { open, ask, came } = held();
  const [bad, good] = [ask("a1", 7), ask("a2", 7)];
  open.a2[0](new Response("a2"));
  open.a1[1](new Error("gone"));
  await assert.rejects(bad, /gone/);
  await good;
  assert.deepEqual(came, ["a2"]);
});

test("other requests pass", async () => {
  const { fetch } = server();
  assert.equal(await (await fetch("http://page/config")).text(), "plain /config");
});

test("an answer to nobody known is told of, whatever was asked", async () => {
  for (const path of ["queue/join", "run/predict"]) {
    const studio = load("answers.js");
    let told = 0;
    studio.loggedOut = () => told++;
    let status = 200;
    const fetch = studio.answersKept(async () => Response.json({ event_id: "a" }, { status }));
    await (await fetch(`http://page/gradio_api/${path}`)).text();
    assert.equal(told, 0);
    status = 401;
    await (await fetch(`http://page/gradio_api/${path}`)).text();
    assert.equal(told, 1);
  }
});
