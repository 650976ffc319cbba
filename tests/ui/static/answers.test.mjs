// The stream of answers: it ends where nothing is owed, and only there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const message = (msg, event_id) => `data: ${JSON.stringify({ msg, event_id })}\n\n`;
const END = message("close_stream");

/** A server: events by number, and streams that say what they are given and then end. */
function server(...streams) {
  const opened = [];
  let events = 0;
  async function fetch(input) {
    const { pathname } = new URL(input.url ?? input, "http://page");
    if (pathname.endsWith("/queue/join")) return Response.json({ event_id: `event ${++events}` });
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
    });
    return new Response(body);
  }
  return { fetch: load("answers.js").answersKept(fetch), opened };
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

test("other requests pass", async () => {
  const { fetch } = server();
  assert.equal(await (await fetch("http://page/config")).text(), "plain /config");
});
