// The stage: the preview while it forms, then the results; after Cancel what did not finish is marked.
(function (studio) {
  "use strict";
  const { el, icon } = studio;

  /** The address of {src} or of {file}, a file that Gradio serves. */
  studio.address = (image) => image.src || image.file?.url || "";
  const { address } = studio;

  /** The address of the result that is shown, also of one of yesterday; "" for none. */
  studio.lastResult = () =>
    document.querySelector('.gs-stage:is([data-state="done"], [data-state="last"]) img')?.src || "";

  studio.saveLink = function (image) {
    return el(
      "a",
      {
        class: "gs-tool",
        href: address(image),
        download: image.name || "image.png",
        title: "Download, preset included",
        "aria-label": `Download ${image.name || "image"}`,
      },
      icon("save"),
    );
  };

  /** Everything that a result can be used for next. */
  function useButton(image) {
    const get = () => studio.fileAt(address(image), image.name || "picture.png");
    const more = [{ label: "Load its preset", take: studio.openPreset }];
    return studio.button("reuse", "Use this picture …", () =>
      studio.askUse("What is this picture for?", address(image), get, more),
    );
  }

  /** What each row of a result did. */
  const explainButton = (image) =>
    studio.button("explain", "Explain this picture", async () =>
      studio.explain(await studio.fileAt(address(image), image.name || "picture.png")),
    );

  const asked = new Map(); // by its number: the button that waits for the server's answer

  /** Saves an unfinished picture, and says so once the server has. */
  studio.keepButton = function (image, trigger) {
    const node = el(
      "button",
      {
        type: "button",
        class: "gs-word",
        title: "Save this preview among the results",
        onclick: () => {
          node.disabled = true;
          asked.set(image.unfinished, node);
          trigger("select", { index: image.unfinished });
        },
      },
      image.kept ? "Kept" : "Keep",
    );
    node.disabled = Boolean(image.kept);
    return node;
  };

  /** The server's answer: `kept` are all that it has saved; where what was asked is none of them, the
   *  button can be pressed again. */
  studio.keepAnswered = function (answer) {
    for (const [index, node] of asked) {
      const done = answer.kept.includes(index);
      if (!done && index !== answer.asked) continue;
      asked.delete(index);
      node.disabled = done;
      if (done) node.textContent = "Kept";
    }
  };

  let strip = []; // what it shows
  function enlarge(image, shown) {
    const { pictures, at } = studio.picturesBeside(image, shown, studio.inOrder(strip));
    studio.lightbox(pictures, at);
  }

  function figure(image, value, trigger) {
    const unfinished = image.unfinished !== undefined;
    const what = value.state === "running" || unfinished ? "Preview" : "Result";
    const picture = el("img", {
      src: address(image),
      alt: `${what}${image.caption ? `: ${image.caption}` : ""}`,
      draggable: "false",
    });
    if (value.state !== "done") return el("figure", {}, picture);
    if (!unfinished) studio.givesPicture(picture, address(image));
    return el(
      "figure",
      unfinished ? { class: "gs-unfinished" } : {},
      el(
        "button",
        {
          type: "button",
          class: "gs-picture",
          "aria-label": "Enlarge",
          onclick: () => enlarge(image, value.images || []),
        },
        picture,
      ),
      el(
        "figcaption",
        {},
        el("span", { title: image.caption || "" }, image.caption || ""),
        unfinished ? null : studio.scoresNode(image.name),
        ...(unfinished
          ? [studio.keepButton(image, trigger)]
          : [
              el(
                "span",
                { class: "gs-result-tools" },
                studio.marksNode(image.id),
                explainButton(image),
                useButton(image),
                studio.saveLink(image),
              ),
            ]),
      ),
    );
  }

  /** What stands where no picture is yet. */
  studio.stageHint = (state) =>
    state === "running"
      ? "The picture forms here."
      : "Nothing here yet. Press Generate, or start from a preset.";

  studio.mountStage = function (element, props, trigger, watch) {
    const grid = el("div", { class: "gs-grid" });
    const said = el("p", {}, studio.stageHint());
    const hint = el("div", { class: "gs-hint" }, icon("image"), said);
    const frame = el("div", { class: "gs-stage", "aria-live": "polite" }, grid, hint);
    element.replaceChildren(frame);
    const spread = (count) => {
      const columns = Math.ceil(Math.sqrt(count || 1));
      grid.style.setProperty("--columns", columns);
      grid.toggleAttribute("data-many", columns > (frame.clientWidth < 440 ? 1 : 2));
    };
    let before = ["empty", []]; // what the run that is drawn began to draw over
    const back = () => {
      const [state, figures] = before;
      frame.dataset.state = frame.dataset.drawn = state;
      hint.hidden = figures.length > 0;
      said.textContent = studio.stageHint(state);
      spread(figures.length);
      // What did not finish belonged to a run that is not the last any more: it is not kept now.
      for (const one of figures) one.querySelector("figcaption > .gs-word")?.remove();
      grid.replaceChildren(...figures);
      studio.emit("marks");
    };
    const draw = () => {
      const value = studio.clone(props.value) || {};
      const begun = frame.dataset.drawn === "running";
      const images = (value.state === "ended" && value.stood) || value.images || [];
      // A run that ended without a picture leaves the result that stood there before it.
      if (value.state === "ended" && !(begun && images.length)) return begun && back();
      if (value.state === "ended") value.state = "done";
      if (value.state === "running" && !begun) before = [frame.dataset.drawn, [...grid.childNodes]];
      frame.dataset.state = value.state || "empty";
      hint.hidden = images.length > 0;
      said.textContent = studio.stageHint(value.state);
      spread(images.length);
      const shown = grid.querySelectorAll("img");
      const replaces =
        value.state === "running" &&
        frame.dataset.drawn === "running" &&
        shown.length === images.length;
      if (replaces)
        images.forEach((image, i) => {
          shown[i].src = address(image);
        });
      else grid.replaceChildren(...images.map((image) => figure(image, value, trigger)));
      frame.dataset.drawn = value.state || "empty";
    };
    watch("value", draw);
    studio.on("kept", studio.keepAnswered);
    let opening = true; // until a picture is shown, or a preset without one
    // Before there is a result: the loaded preset's own picture, marked as such.
    studio.on("notes", ({ loaded, image }) => {
      if (!loaded || !["empty", "thumbnail", "last"].includes(frame.dataset.state)) return;
      opening = false;
      frame.dataset.state = frame.dataset.drawn = image ? "thumbnail" : "empty";
      hint.hidden = Boolean(image);
      spread(1);
      const shown = image
        ? [
            el(
              "figure",
              { class: "gs-thumbnail" },
              el("img", { src: address(image), alt: "The preset's own picture" }),
              el("figcaption", {}, el("span", {}, image.caption)),
            ),
          ]
        : [];
      grid.replaceChildren(...shown);
    });
    function view(image, state) {
      frame.dataset.state = frame.dataset.drawn = state;
      hint.hidden = true;
      spread(1);
      grid.replaceChildren(figure(image, { state: "done" }, trigger));
    }
    studio.on("view", (image) => view(image, "done"));
    // A page whose form was kept opens on the last picture, whatever the strip's order.
    studio.on("strip", (items) => {
      strip = items;
      if (!opening || !items.length || frame.dataset.state !== "empty") return;
      opening = false;
      view(items[0].image, "last");
    });
    draw();
  };

  const AFTERWARDS = 8000; // ms in which what comes with a picture has come: shares, scores, the strip

  /** Keep in sight what may not be laid out yet, or is moved by what comes around it: while a run
   *  lasts (`runs()`) and a little longer, unless a hand does something else. */
  studio.keepInSight = function (selector, runs) {
    const hands = new AbortController();
    for (const kind of ["wheel", "touchstart", "pointerdown", "keydown"])
      document.addEventListener(kind, () => hands.abort(), { signal: hands.signal, capture: true });
    let end = Date.now() + AFTERWARDS;
    let before = NaN;
    function look() {
      if (runs()) end = Date.now() + AFTERWARDS;
      if (hands.signal.aborted || Date.now() > end) return hands.abort();
      const box = document.querySelector(selector)?.getBoundingClientRect();
      const inSight = box?.height && box.top >= 0 && (box.top + box.bottom) / 2 <= innerHeight;
      if (box?.height && !inSight && box.top === before)
        document.querySelector(selector).scrollIntoView({ behavior: "smooth", block: "start" });
      before = box?.top ?? NaN;
      return setTimeout(look, 150);
    }
    look();
  };
})(window.studio);
