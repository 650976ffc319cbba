// A look at what came by a link or out of a gallery: what it loads, which models are missing. It asks
// where the form was edited, and tells where the preset is on the page already.
(function (studio) {
  "use strict";
  const { el } = studio;
  const WAYS = { to: "Towards", from: "Away from", "": "Left out:" };

  function line({ way, prompt, weight, models, parts }) {
    const own = (tag, text) => el(tag, { dir: "auto", translate: "no" }, text);
    return el(
      "li",
      {},
      el("span", {}, WAYS[way]),
      " ",
      prompt ? own("q", prompt) : el("span", {}, "no text"),
      " · ",
      el("span", {}, `weight ${weight}`),
      ...models.flatMap((name) => [" · ", own("code", name)]),
      ...parts.flatMap((part) => [" · ", el("span", {}, part)]),
    );
  }

  function rows({ rows: shown, more }) {
    if (!shown.length) return el("p", {}, "No rows: what the base model draws unguided.");
    const lines = shown.map(line);
    if (more) lines.push(el("li", {}, `and ${more} more`));
    return el("ul", { tabindex: "0", "aria-label": "Rows of what was linked" }, ...lines);
  }

  studio.mountLook = function (element, props, trigger, watch) {
    const ask = studio.newest(trigger, "select");
    let value = {};
    let gone = ""; // the last that was closed, or left the page
    let pressed = null; // the number of the look that is being opened
    let box = null;
    const missing = el("div", {});

    const which = ({ code, state }) => `${state} ${code}`;
    function clear() {
      if (value.code) gone = which(value);
      value = {};
      element.replaceChildren();
    }
    function close() {
      clear();
      studio.focusForm();
    }
    function answered() {
      studio.linkAnswered(true);
      close();
    }
    /** The look stays until the preset has come: it may not. */
    function open() {
      pressed = value.nonce;
      ask({ code: value.code, look: pressed });
    }
    const answers = {
      asked: () => [studio.word("Open it", open), studio.word("Keep mine", answered)],
      opened: () => [studio.button("close", "Close the look", close)],
    };
    const said = {
      asked: "A link brings this preset. Your own form was edited, and stays until you open it.",
      opened: "This preset came from elsewhere. It is on the page now.",
    };

    function draw() {
      const next = studio.clone(props.value) || {};
      if (!next.state) return clear();
      const known = which(next) === which(value);
      // It was closed meanwhile, or another is shown.
      if (next.again && (which(next) === gone || (value.code && !known))) return;
      value = next;
      if (missing.innerHTML !== value.missing) missing.innerHTML = value.missing; // escaped there
      if (value.again && known) return; // else both answers came at once, the first unseen
      gone = "";
      const heading = el(
        "strong",
        { tabindex: "-1", dir: "auto", translate: "no" },
        value.name || studio.say("Untitled preset"),
      );
      box = el(
        "section",
        {
          class: "gs-look gs-notices",
          "aria-label": "What was linked",
          "data-state": value.state,
        },
        el(
          "div",
          { class: "gs-notices-head" },
          heading,
          el("span", { class: "gs-look-answers" }, ...answers[value.state]()),
        ),
        el("p", { role: "status" }, said[value.state]),
        el("p", {}, el("span", {}, "Base model"), " ", el("code", {}, value.base)),
        rows(value),
        missing,
      );
      element.replaceChildren(box);
      if (value.state !== "asked") return;
      studio.linkAnswered(false); // a reload asks again
      element.scrollIntoView({ block: "nearest" });
      studio.filled.then(() => heading.focus({ preventScroll: true }));
    }

    // A note on what is not on the page any more goes with it.
    studio.on("notes", ({ loaded, nonce, look }) => {
      if (!loaded) return;
      if (value.state === "asked" && look && look === pressed) answered();
      if (value.state === "opened" && value.with !== nonce) clear();
    });
    studio.on("opened", ({ left }) => {
      if (value.state === "opened") box.hidden = !left; // undo takes it off the page, redo brings it back
    });
    watch("value", draw);
    draw();
  };
})(window.studio);
