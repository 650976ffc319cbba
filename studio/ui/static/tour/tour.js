// The tour: each step loads a preset, points at what to look at, and does something when pressed.
(function (studio) {
  "use strict";
  const { el, word, inSight } = studio;
  const SEEN = "guidance-studio-tour"; // in this browser: the offer was taken or closed
  const PATIENCE = 4000; // ms for the way in to be in sight
  const LONG = 30000; // ms for a step's preset, and for what it points at to be drawn

  const seen = () => {
    try {
      return localStorage.getItem(SEEN) !== null;
    } catch {
      return true; // where nothing can be kept, the offer would come back for ever
    }
  };
  function dismiss() {
    try {
      localStorage.setItem(SEEN, "seen");
    } catch {
      /* private mode */
    }
  }
  const press = (selector) => {
    const node = document.querySelector(selector);
    (node?.tagName === "BUTTON" ? node : node?.querySelector("button"))?.click();
  };

  studio.mountTour = function (element, trigger, { steps, end }) {
    const use = studio.newest(trigger, "select");
    let card = null;
    let pointed = null;
    let opener = null;
    let loaded = () => {}; // what waits for a step's preset
    studio.on("notes", () => loaded());
    const actions = {
      generate: () => press("#gs-generate"),
      strip: () => trigger("submit", {}),
      async train() {
        studio.showTab("train");
        if (await inSight("#gs-train-examples", LONG)) press("#gs-train-examples");
      },
    };
    const walk = studio.tourWalk(steps.length, show, leave);

    function point(node) {
      pointed?.classList.remove("gs-pointed");
      pointed = node;
      node?.classList.add("gs-pointed");
      node?.scrollIntoView({ block: window.innerWidth < 900 ? "start" : "nearest" });
    }
    function draw(at, step) {
      const can = step && (step.action !== "train" || studio.trains()); // a shared page may not train
      const main = can
        ? word(step.button, () => actions[step.action](), { class: "gs-word gs-tour-act" })
        : null;
      const next = word(step ? "Next" : "Done", () => walk.next(), {
        class: "gs-word gs-main-word gs-tour-next",
      });
      card?.remove();
      card = el(
        "section",
        { class: "gs-tour", "aria-label": "Tour" },
        el(
          "div",
          { class: "gs-line" },
          el(
            "strong",
            { class: "gs-tour-title" },
            step ? `${at + 1} of ${steps.length}: ${step.title}` : "The end",
          ),
          studio.button("close", "End the tour", () => walk.end()),
        ),
        el("p", { "aria-live": "polite" }, step ? step.text : end),
        at
          ? null
          : el("p", { class: "gs-tour-note" }, "Undo brings back what was on the page before."),
        el(
          "div",
          { class: "gs-line gs-answers" },
          at ? word("Back", () => walk.back()) : null,
          main,
          next,
        ),
      );
      element.replaceChildren(card); // within the page: Gradio keeps what is for phones to it
      next.focus({ preventScroll: true });
    }

    async function show(at) {
      const step = steps[at];
      draw(at, step);
      point(null);
      if (!step) return;
      const there = new Promise((resolve) => {
        loaded = resolve;
        setTimeout(resolve, LONG);
      });
      use({ id: step.preset });
      await there;
      await new Promise((resolve) => setTimeout(resolve, 250)); // its rows are being drawn
      const node = await inSight(step.target, LONG, () => walk.at() === at);
      if (walk.at() === at) point(node);
    }
    function leave() {
      point(null);
      card?.remove();
      card = null;
      opener?.focus();
    }

    // -- the way in: an offer for newcomers, a quiet word for everybody else ---------------------
    function offer(place) {
      const fresh = !seen();
      opener = el(
        "button",
        {
          type: "button",
          class: "gs-link gs-tour-open",
          onclick: () => {
            dismiss();
            offer(place);
            walk.begin();
          },
        },
        fresh ? el("span", { class: "gs-tour-new" }, "New here? ") : "",
        fresh ? "Take the tour" : "Tour",
      );
      const close = fresh
        ? studio.button("close", "Not now", () => {
            dismiss();
            offer(place);
            opener.focus();
          })
        : null;
      place.replaceChildren(...[opener, close].filter(Boolean));
    }
    inSight("#gs-tour-place", PATIENCE).then((place) => {
      const there = place || document.getElementById("gs-tour-place");
      if (there) offer(there);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !event.isTrusted || walk.at() === null) return;
      if (!studio.canCancel() && !document.querySelector("dialog[open]")) walk.end();
    });
  };
})(window.studio);
