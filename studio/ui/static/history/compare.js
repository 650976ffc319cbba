// Two to four pictures beside each other, zoomed together; two also under a slider and as a difference.
(function (studio) {
  "use strict";
  const { el } = studio;
  const MODES = { side: "Side by side", slider: "Slider", difference: "Difference" };

  /** Zoom and place after the wheel turned at a point of the picture (0 to 1 across and down). */
  studio.zoomAt = function (view, factor, x, y) {
    const scale = Math.min(16, Math.max(1, view.scale * factor));
    const keep = (offset, point) => {
      const moved = point - ((point - offset) * scale) / view.scale;
      return Math.min(0, Math.max(1 - scale, moved));
    };
    return { scale, x: keep(view.x, x), y: keep(view.y, y) };
  };

  const STEP = 0.1; // of the picture's sides, by an arrow key
  const SIDES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  /** Zoom and place after a key; null for one that does nothing here. */
  studio.zoomBy = function (view, key) {
    if (key === "+" || key === "=") return studio.zoomAt(view, 1.2, 0.5, 0.5);
    if (key === "-") return studio.zoomAt(view, 1 / 1.2, 0.5, 0.5);
    if (key === "0") return { scale: 1, x: 0, y: 0 };
    if (!SIDES[key]) return null;
    const [x, y] = SIDES[key].map((side) => side * STEP);
    const within = (place) => Math.min(0, Math.max(1 - view.scale, place));
    return { scale: view.scale, x: within(view.x + x), y: within(view.y + y) };
  };

  /** Zoom and place after two fingers, or one twice, went from two points of a frame to two others. */
  studio.pinched = function (view, before, now) {
    const apart = ([one, two]) => Math.hypot(one.x - two.x, one.y - two.y);
    const middle = ([one, two], side) => (one[side] + two[side]) / 2;
    const within = (scale, place) => Math.min(0, Math.max(1 - scale, place));
    const factor = apart(before) ? apart(now) / apart(before) : 1;
    const next = studio.zoomAt(view, factor, middle(before, "x"), middle(before, "y"));
    for (const side of ["x", "y"])
      next[side] = within(next.scale, next[side] + middle(now, side) - middle(before, side));
    return next;
  };

  /** Why there is no way from the seed of one picture to that of another; "" where there is. */
  studio.whyNotBetween = function (records) {
    if (records.some(({ varied }) => varied))
      return "One of them is a variation, which has no seed of its own.";
    const [one, two] = records.map(({ seed }) => seed);
    return one === two ? `Both have the seed ${one}.` : "";
  };

  studio.compareDialog = function (records) {
    let view = { scale: 1, x: 0, y: 0 };
    const pictures = records.map((record) => studio.wholePicture(record, null));
    const place = () => {
      stage.toggleAttribute("data-zoomed", view.scale > 1); // else a finger scrolls
      for (const picture of pictures)
        picture.style.transform = `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.scale})`;
    };
    const frames = records.map((record, index) =>
      el(
        "figure",
        {},
        el("div", { class: "gs-compare-frame" }, pictures[index]),
        el(
          "figcaption",
          {},
          el("strong", { translate: record.words ? null : "no" }, record.title),
          record.differs.length
            ? el("ul", {}, ...record.differs.map((line) => el("li", { dir: "auto" }, line)))
            : el("p", {}, index ? "the same preset as the first" : "the first"),
        ),
      ),
    );
    const stage = el(
      "div",
      {
        class: "gs-compare",
        "data-mode": "side",
        tabindex: "0",
        role: "group",
        "aria-label": "Pictures: + and - zoom, the arrow keys move, 0 shows them whole",
        onkeydown: (event) => {
          const next = event.ctrlKey || event.metaKey ? null : studio.zoomBy(view, event.key);
          if (!next) return;
          event.preventDefault();
          view = next;
          place();
        },
      },
      ...frames,
    );
    // One over the other, they take as much room as the wider one: a slider runs over no empty sides.
    for (const picture of pictures)
      picture.addEventListener("load", () => {
        const shapes = pictures.map((one) => (one.naturalWidth || 0) / (one.naturalHeight || 1));
        stage.style.setProperty("--shape", Math.max(...shapes));
      });
    const slider = el("input", {
      type: "range",
      min: "0",
      max: "100",
      value: "50",
      "aria-label": "How much of the first picture is shown",
      oninput: () => stage.style.setProperty("--cut", `${slider.value}%`),
    });
    stage.style.setProperty("--cut", "50%");
    stage.addEventListener(
      "wheel",
      (event) => {
        const frame = event.target.closest(".gs-compare-frame");
        if (!frame) return;
        event.preventDefault();
        const box = frame.getBoundingClientRect();
        view = studio.zoomAt(
          view,
          event.deltaY < 0 ? 1.2 : 1 / 1.2,
          (event.clientX - box.left) / box.width,
          (event.clientY - box.top) / box.height,
        );
        place();
      },
      { passive: false },
    );
    // A hand that holds a picture moves all; two fingers on it zoom.
    const hands = new Map(); // pointer → where on the picture it is
    let frame = null;
    const on = (event) => {
      const box = frame.getBoundingClientRect();
      return {
        x: (event.clientX - box.left) / box.width,
        y: (event.clientY - box.top) / box.height,
      };
    };
    stage.addEventListener("pointerdown", (event) => {
      const found = event.target.closest(".gs-compare-frame");
      if (!found || event.button !== 0 || (hands.size && found !== frame) || hands.size > 1) return;
      frame = found;
      hands.set(event.pointerId, on(event));
    });
    stage.addEventListener("pointermove", (event) => {
      if (!hands.has(event.pointerId)) return;
      const before = [...hands.values()];
      hands.set(event.pointerId, on(event));
      const now = [...hands.values()];
      view = studio.pinched(view, [before[0], before.at(-1)], [now[0], now.at(-1)]);
      place();
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"])
      stage.addEventListener(end, (event) => hands.delete(event.pointerId));

    const show = (mode) => {
      stage.dataset.mode = mode;
      slider.hidden = mode !== "slider";
      for (const node of modes.children)
        node.setAttribute("aria-pressed", node.dataset.mode === mode);
    };
    const modes = el(
      "span",
      { class: "gs-line", hidden: records.length !== 2 },
      ...Object.entries(MODES).map(([mode, label]) =>
        el(
          "button",
          { type: "button", class: "gs-word", "data-mode": mode, onclick: () => show(mode) },
          label,
        ),
      ),
    );
    const ids = records.map((record) => record.id);
    const pair = records.length === 2 && ids.every(Boolean); // of the history
    const why = pair ? studio.whyNotBetween(records) : "";
    const between = pair
      ? studio.word(
          "From seed to seed …",
          () => {
            if (why) return; // it stands beside it: a toast would lie behind the dialog
            dialog.close();
            studio.between(ids);
          },
          { title: "Pictures on the way from the first's seed to the second's" },
        )
      : null;
    if (why) studio.stops(between, why);
    const dialog = el(
      "dialog",
      {
        class: "gs-painter gs-compare-dialog",
        "aria-label": "Compare pictures",
        onclose: () => dialog.remove(),
      },
      el(
        "div",
        { class: "gs-line" },
        el("strong", {}, "Compare"),
        modes,
        slider,
        between,
        why ? el("span", { class: "gs-field-help" }, why) : null,
        studio.button("close", "Close", () => dialog.close()),
      ),
      stage,
    );
    show("side");
    return dialog;
  };
})(window.studio);
