// Gradio's client hears all its answers on one stream, which the server ends when it owes none. What
// is asked for in that very moment would be answered to nobody: here the stream goes on for it. What
// is answered at once comes in the order in which it was asked for.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /**
   * `fetch` for Gradio's client: the same, but a stream of answers that ends while one is owed is
   * opened again, and no answer overtakes another of the same function.
   * @param ask the browser's own
   */
  studio.answersKept = function (ask) {
    const fetch = (input, init) => {
      const answer = ask(input, init);
      answer.then(
        () => studio.reached?.(true),
        ({ name }) => name === "AbortError" || studio.reached?.(false),
      );
      return answer;
    };
    const owed = new Set(); // events asked for that have not ended
    const early = new Set(); // events that ended before the page heard their names
    let asking = Promise.resolve(); // the requests for events that have not been answered themselves

    async function join(input, init) {
      const answer = await fetch(input, init).catch((error) => {
        studio.unheard?.(init?.body);
        throw error;
      });
      if (answer.status >= 500)
        studio.unheard?.(init?.body); // a proxy before it speaks for it
      else studio.heard?.(init?.body);
      const { event_id: event } = await answer
        .clone()
        .json()
        .catch(() => ({}));
      if (answer.ok && event && !early.delete(event)) owed.add(event);
      return answer;
    }

    /** The messages of a stream, as they were sent, without its end where more is owed. */
    async function* messages(first, again) {
      for (let answer = first; answer;) {
        const reader = answer.body.getReader();
        const decoder = new TextDecoder();
        let text = "";
        let ended = false;
        try {
          for (;;) {
            const { done, value } = await reader.read();
            text += decoder.decode(value, { stream: !done });
            const parts = text.split("\n\n");
            text = parts.pop();
            for (const part of parts) {
              const { msg, event_id: event } = studio.messageOf(part);
              if (msg === "process_completed" && !owed.delete(event)) early.add(event);
              if (msg === "close_stream") ended = true;
              else if (!ended) yield `${part}\n\n`;
            }
            // The server has an end of its own to come to: cut off before it, it takes the
            // session for gone and drops what was asked for since.
            if (done) break;
          }
        } finally {
          reader.cancel().catch(() => {});
        }
        if (!ended) return; // it broke off: the client says so
        await asking;
        answer = owed.size ? await again() : null;
        if (answer && !answer.ok) throw new Error(`the answers broke off (${answer.status})`);
      }
      yield studio.END_OF_ANSWERS;
    }

    async function listen(input, init) {
      // A request is used up by its fetch.
      const again =
        input instanceof Request ? () => fetch(input.clone()) : () => fetch(input, init);
      const first = await again();
      if (!first.ok || !first.body) return first;
      const stream = messages(first, again);
      const encoder = new TextEncoder();
      const body = new ReadableStream({
        async pull(controller) {
          const { done, value } = await stream.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        },
        cancel: () => stream.return(),
      });
      return new Response(body, { status: first.status, headers: first.headers });
    }

    const turns = new Map(); // when all requests so far of a function that answers at once have ended

    /** Answers in the order of their questions: what was asked last is drawn last. An answer counts
     *  once all of it is there, and each gets a moment of its own to be drawn in. */
    async function inOrder(input, init) {
      const of = /"fn_index":(\d+)/.exec(init?.body)?.[1];
      const before = turns.get(of);
      const answer = whole(input, init);
      const turn = Promise.allSettled([before, answer]);
      turns.set(
        of,
        turn.then(() => new Promise((done) => setTimeout(done))),
      );
      await turn;
      return answer;
    }

    async function whole(input, init) {
      const answer = await fetch(input, init);
      const { status, statusText, headers } = answer;
      return new Response(await answer.blob(), { status, statusText, headers });
    }

    /** A server that knows nobody any more answers no press; Gradio's client keeps that to itself. */
    function known(answer) {
      answer.then(({ status }) => status === 401 && studio.loggedOut?.()).catch(() => {});
      return answer;
    }

    return function (input, init) {
      const path = new URL(input?.url ?? input, "http://page").pathname;
      if (path.endsWith("/run/predict")) return known(inOrder(input, init));
      if (path.endsWith("/queue/data")) return listen(input, init);
      const plainly = () => fetch(input, init);
      if (/\/upload$|\/file=/.test(path) && studio.sent) return studio.sent(plainly);
      if (path.includes("/component_server") && studio.answeredAnyway)
        return studio.answeredAnyway(plainly);
      if (!path.endsWith("/queue/join")) return plainly();
      const answer = known(join(input, init));
      asking = Promise.allSettled([asking, answer]);
      return answer;
    };
  };

  studio.END_OF_ANSWERS = 'data: {"msg":"close_stream"}\n\n';

  /** What a message of the stream says; {} where it is none. */
  studio.messageOf = function (text) {
    try {
      return JSON.parse(text.replace(/^data:\s*/, "")) || {};
    } catch {
      return {};
    }
  };

  if (window.fetch) window.fetch = studio.answersKept(window.fetch.bind(window));
})(window.studio);
