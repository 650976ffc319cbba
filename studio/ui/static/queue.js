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

  // How many pictures this tab's strip held, and at which start of the server.
  const MADE = "guidance-studio-made";
  const [server, made] = String(studio.noted(MADE) || "").split(" ");
  /** Another one at each start of the server. */
  const started = () => String(window.gradio_config?.app_id ?? "");
  studio.serverStart = started;
  /** How many pictures an earlier start of the server had made for this tab. */
  studio.madeBefore = () => (server && server !== started() ? Number(made) || 0 : 0);
  const inStrip = () => document.querySelectorAll("#gs-history .gs-moment").length;
  studio.filled.then(() => {
    const note = () => studio.noted(MADE, `${started()} ${inStrip()}`);
    const strip = document.getElementById("gs-history");
    new MutationObserver(note).observe(strip, { childList: true, subtree: true });
    note();
  });
  /** The pictures of a shared page go with its start, which one that is open does not see by itself. */
  function goneWith(start, before) {
    const count = document.getElementById("gs-kept-for-a-while") ? inStrip() : 0;
    if (!count || !start || !before || start === before) return;
    const text =
      count === 1
        ? "The studio was started anew: 1 picture made here before is gone"
        : `The studio was started anew: ${count} pictures made here before are gone`;
    studio.emit("unsent", { text });
  }

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
    new MutationObserver(() => {
      count();
      rest();
    }).observe(bar.parentElement, watched);
  });

  /** "Ready" gives way to what is said of a machine that is busy. */
  function rest() {
    const bar = document.getElementById("gs-progress");
    const text = bar?.querySelector(".gs-progress-text");
    const busy = document.querySelector(".gs-around:not([hidden])");
    bar?.toggleAttribute("data-rests", Boolean(busy && text && studio.englishOf(text) === "Ready"));
  }

  /** What works beside the runs of the queue, in lines: {on(name, {state, text}), lines(), run()}. How
   *  it ended is said of what was seen at work, until the next run. */
  studio.worksBeside = function () {
    const said = new Map();
    const seen = new Set();
    const states = new Map();
    return {
      on(name, { state, text }) {
        states.set(name, state);
        if (state === "running") seen.add(name);
        if (text && seen.has(name)) said.set(name, { state, text });
      },
      settle() {
        for (const [name, { state }] of said)
          if (state !== "running") {
            said.delete(name);
            seen.delete(name);
          }
      },
      lines: () => [...said].map(([name, { text }]) => `${name}: ${text}`),
      run: () => [...states.values()].includes("running"),
    };
  };
  const beside = studio.worksBeside();
  /** Whether a run of the page goes on or waits. */
  studio.runs = () =>
    ["running", "waiting"].includes(
      document.querySelector("#gs-progress .gs-progress")?.dataset.state,
    );
  /** Whether there is something that Cancel ends: a run, a sweep or a search. */
  studio.canCancel = () => studio.runs() || beside.run();
  /** A part of a whole in whole percent; 0 where neither is known yet. */
  studio.percentOf = (made, total) =>
    total ? Math.min(100, Math.floor((100 * (made || 0)) / total)) : 0;
  /** Say how a work beside the queue stands, a sweep or a search: {state, text}, made of total. */
  studio.atWork = function (name, { state, text, made, total }) {
    beside.on(name, { state, text });
    studio.emit("beside", beside.lines());
    studio.emit("work", { name, state, text, percent: studio.percentOf(made, total) });
  };
  studio.on("sweep", (state) => studio.atWork("Sweep", state));
  studio.on("run", () => {
    beside.settle();
    studio.emit("beside", beside.lines());
  });

  const SOONEST = 3000; // ms between two looks at the others
  const LATEST = 60000; // ms after which what is said of them is looked at again

  studio.mountQueue = function (element, props, trigger, watch) {
    const list = el("ol", { class: "gs-queue", "aria-label": "Queue" });
    const around = el("div", { class: "gs-around", hidden: true });
    // Many presses of one mistake are taken back by one.
    const clear = word("Take all out of the queue", () => {
      const count = list.querySelectorAll("[data-do=cancel]").length;
      trigger("select", { do: "clear", number: 0 });
      studio.toast(`${count} taken out of the queue.`);
      document.querySelector("#gs-generate")?.focus();
    });
    element.replaceChildren(list, clear, around);

    // Who is before a run of this page, where it has none: asked when a hand comes back or to the
    // buttons, with an edit, and once the time that was said is over. A page at rest asks nothing.
    let asked = Date.now();
    let again = 0;
    let later = 0;
    let shown = false; // that others are before
    function look() {
      clearTimeout(later);
      clearTimeout(again);
      later = 0;
      const own = document.querySelector(
        "#gs-progress :is([data-state=running], [data-state=waiting])",
      );
      if (document.hidden || own) return;
      asked = Date.now();
      if (shown) again = setTimeout(look, LATEST); // where this one is not answered
      trigger("submit", {});
    }
    const soon = () => {
      later = later || setTimeout(look, Math.max(0, asked + SOONEST - Date.now()));
    };
    document.addEventListener("visibilitychange", soon);
    window.addEventListener("focus", soon);
    document.addEventListener("pointerover", ({ target }) => {
      if (target.closest?.("#gs-actions")) soon();
    });
    studio.on("form", soon);

    let [unsent, works] = ["", []];
    studio.on("unsent", ({ text }) => {
      unsent = text;
      surround();
    });
    studio.on("beside", (lines) => {
      works = lines;
      surround();
    });
    function surround() {
      const { ahead } = studio.clone(props.value) || {};
      const lines = works.length || !ahead ? works : [ahead.text];
      const nodes = lines.map((line) => el("p", {}, line));
      if (unsent) nodes.unshift(el("p", { class: "gs-error", role: "alert" }, unsent));
      around.replaceChildren(...nodes);
      around.hidden = !nodes.length;
      clearTimeout(again);
      shown = Boolean(ahead);
      if (ahead) again = setTimeout(look, 1000 * ahead.again);
      rest();
    }

    function line(item, at, first, count) {
      const words = studio.queueWords(item);
      const tool = (icon, what, does, hidden) =>
        button(
          icon,
          `${what}: ${words.title}`,
          () => {
            if (does === "cancel") taken = String(item.number);
            trigger("select", { do: does, number: item.number });
          },
          {
            "data-do": does,
            disabled: hidden,
          },
        );
      const tell = (text, does, title = null) =>
        word(text, () => trigger("select", { do: does, number: item.number }), {
          "data-do": does,
          title,
        });
      return el(
        "li",
        { class: "gs-queue-line", "data-number": item.number },
        el(
          "span",
          {
            class: "gs-queue-title",
            title: words.title,
            dir: "auto",
            translate: item.mixed ? null : "no",
          },
          words.title,
        ),
        el("span", { class: "gs-queue-differs", title: words.differs, dir: "auto" }, words.differs),
        el("span", { class: "gs-queue-facts", title: words.facts }, words.facts),
        ...(item.waits
          ? [
              item.skips ? tell("Skip", "skip", "Skip the one being made") : null,
              tool("up", "Earlier", "up", at === first),
              tool("down", "Later", "down", at === count - 1),
              tool("close", "Take out of the queue", "cancel"),
            ]
          : [tell("Stop after this one", "last")]),
      );
    }

    let taken = ""; // the line that was taken out last
    /** The keyboard stays on the button that it pressed, whichever line that has become; where that
     *  press took the line away, on that of the one in its place. */
    function focused() {
      const node = document.activeElement;
      const held = list.contains(node) ? node.closest("[data-number]") : null;
      const at = [...list.children].indexOf(held);
      return held && { number: held.dataset.number, does: node.dataset.do, at };
    }
    function lineOf({ number, at }) {
      const there = list.querySelector(`[data-number="${number}"]`);
      if (there || number !== taken) return there; // one that began is none to be taken for another
      const alike = [...list.children].filter((one) => one.querySelector('[data-do="cancel"]'));
      return alike.find((one) => one === list.children[at]) ?? alike.at(-1) ?? null;
    }

    let heard = null; // the stamp of what was said last
    let begun = ""; // the start of the server that answered last
    function draw() {
      const { items = [], said, stamp, start } = studio.clone(props.value) || {};
      goneWith(start, begun);
      begun = start || begun;
      if (said && stamp !== heard) studio.toast(said);
      heard = stamp;
      const held = focused();
      const first = items.findIndex((item) => item.waits);
      list.replaceChildren(...items.map((item, at) => line(item, at, first, items.length)));
      list.hidden = !items.length;
      studio.emit(
        "forever",
        items.some(({ forever }) => forever),
      );
      clear.hidden = items.filter((item) => item.waits).length < 2;
      surround();
      if (!held) return;
      const there = lineOf(held);
      // One more press of a key that took the last one out begins and stops nothing.
      if (!there && held.number === taken) return studio.focusForm();
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
