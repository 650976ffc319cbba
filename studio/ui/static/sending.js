// Files on their way to the server: how large one may be is said in the page's words, before it is sent.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const MEGABYTE = 2 ** 20;

  /** Why a file is too large to be sent; "" where it is not. `largest`: in bytes. */
  studio.tooLarge = function (
    { name, size },
    largest = window.gradio_config?.max_file_size ?? Infinity,
  ) {
    if (!(size > largest)) return "";
    const [has, most] = [Math.ceil(size / MEGABYTE), Math.floor(largest / MEGABYTE)];
    return `${name || "the picture"} has ${has} MB; a file has at most ${most} MB`;
  };

  const UNANSWERED = "The studio did not answer";
  const unanswered = ({ message }) => String(message).endsWith(UNANSWERED); // after Gradio's own words
  const PROXY = [502, 503, 504]; // what a proxy says of a server that is away

  /** What Gradio asks with files in it: where nothing answers, why is said in the page's words. */
  studio.sent = async function (ask) {
    const answer = await ask().catch((error) => {
      throw error.name === "AbortError" ? error : new Error(UNANSWERED);
    });
    if (PROXY.includes(answer.status)) throw new Error(UNANSWERED);
    return answer;
  };

  /** What a component asks of the server, likewise: Gradio keeps a failure to itself and answers
   *  nothing, where each of these answers is looked at for its `error`. */
  studio.answeredAnyway = (ask) =>
    studio.sent(ask).catch((error) => {
      if (!unanswered(error)) throw error;
      return Response.json({ error: UNANSWERED });
    });

  // A press that needs a picture of the server's may end here: it is told why.
  window.addEventListener?.("unhandledrejection", (event) => {
    if (!unanswered(event.reason ?? {})) return;
    event.preventDefault();
    studio.toast(UNANSWERED);
  });

  /** `upload`, which fails in the page's own words where a file is too large. */
  studio.sending = (upload) => async (file) => {
    const wrong = studio.tooLarge(file);
    if (wrong) throw new Error(wrong);
    return upload(file).catch((error) => {
      throw unanswered(error) ? new Error(UNANSWERED.replace("T", "t")) : error;
    });
  };
})(window.studio);
