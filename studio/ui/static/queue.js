// What waits: a line for each press, which can come earlier or later or not at all.
(function (studio) {
  "use strict";
  const { el, button, word } = studio;

  /** The line's words: what, of which seed, how many, whether it goes on, and what is not as in what
   *  comes before it. */
  studio.queueWords = ({ title, prompt, seed, differs, images, waits, forever }) => ({
    title: prompt ? `${title}: ${prompt}` : title,
    differs: differs.join(" · "),
    facts: [
      seed === null ? "" : `seed ${seed}`,
      images === 1 ? "1 image" : `${images} images`,
      forever ? "forever" : "",
      waits ? "" : "running",
    ]
      .filter(Boolean)
      .join(" · "),
  });

  // What had not ended when the page was left, as far as this tab saw it: a server that was started
  // anew since knows nothing of it.
  const PLACE = "guidance-studio-unended";
  const before = Number(studio.noted(PLACE)) || 0;
  /** How many runs had not ended when this page was opened. */
  studio.unended = () => before;

  function count() {
    const { state } = document.querySelector("#gs-progress .gs-progress")?.dataset ?? {};
    const runs = ["running", "waiting"].includes(state);
    const lines = [...document.querySelectorAll(".gs-queue-line")];
    const waits = lines.filter((line) => line.querySelector("[data-do=cancel]")).length;
    studio.noted(PLACE, runs ? Math.max(1, waits + (state === "running")) : 0);
  }
  studio.filled.then(() => {
    const bar = document.getElementById("gs-progress");
    // Gradio draws a bar anew, or changes the one that stands there.
    const watched = { childList: true, subtree: true, attributeFilter: ["data-state"] };
    new MutationObserver(count).observe(bar.parentElement, watched);
  });

  studio.mountQueue = function (element, props, trigger, watch) {
    const list = el("ol", { class: "gs-queue", "aria-label": "Queue" });
    element.replaceChildren(list);

    function line(item, at, first, count) {
      const words = studio.queueWords(item);
      const tool = (icon, what, does, hidden) =>
        button(
          icon,
          `${what}: ${words.title}`,
          () => trigger("select", { do: does, number: item.number }),
          {
            "data-do": does,
            disabled: hidden,
          },
        );
      return el(
        "li",
        { class: "gs-queue-line", "data-number": item.number },
        el(
          "span",
          { class: "gs-queue-title", title: words.title, dir: "auto", translate: "no" },
          words.title,
        ),
        el("span", { class: "gs-queue-differs", title: words.differs, dir: "auto" }, words.differs),
        el("span", { class: "gs-queue-facts" }, words.facts),
        ...(item.waits
          ? [
              tool("up", "Earlier", "up", at === first),
              tool("down", "Later", "down", at === count - 1),
              tool("close", "Take out of the queue", "cancel"),
            ]
          : [
              word(
                "Stop after this one",
                () => trigger("select", { do: "last", number: item.number }),
                { "data-do": "last" },
              ),
            ]),
      );
    }

    /** The keyboard stays on the button that it pressed, whichever line that has become. */
    function focused() {
      const node = document.activeElement;
      const held = list.contains(node) ? node.closest("[data-number]") : null;
      return held && { number: held.dataset.number, does: node.dataset.do };
    }

    function draw() {
      const { items = [] } = studio.clone(props.value) || {};
      const held = focused();
      const first = items.findIndex((item) => item.waits);
      list.replaceChildren(...items.map((item, at) => line(item, at, first, items.length)));
      list.hidden = !items.length;
      if (!held) return;
      const there = list.querySelector(`[data-number="${held.number}"]`);
      const again = there?.querySelector(`[data-do="${held.does}"]:not([disabled])`);
      (
        again ||
        there?.querySelector("button:not([disabled])") ||
        document.querySelector("#gs-generate")
      )?.focus();
    }
    watch("value", draw);
    draw();
  };
})(window.studio);
