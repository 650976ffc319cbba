// Two to four pictures beside each other, zoomed together; two also under a slider and as a difference.
(function (studio) {
  "use strict";
  const { el, address } = studio;
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

  studio.compareDialog = function (records) {
    let view = { scale: 1, x: 0, y: 0 };
    const pictures = records.map((record) =>
      el("img", {
        src: address(record.image || {}),
        alt: record.title,
        "data-own": "alt",
        draggable: "false",
      }),
    );
    const place = () => {
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
    let held = null;
    stage.addEventListener("pointerdown", (event) => {
      const frame = event.target.closest(".gs-compare-frame");
      if (frame) held = { x: event.clientX, y: event.clientY, width: frame.clientWidth, view };
    });
    stage.addEventListener("pointermove", (event) => {
      if (!held) return;
      const move = (start, now, from) =>
        Math.min(0, Math.max(1 - view.scale, from + (now - start) / held.width));
      view = {
        scale: view.scale,
        x: move(held.x, event.clientX, held.view.x),
        y: move(held.y, event.clientY, held.view.y),
      };
      place();
    });
    for (const end of ["pointerup", "pointerleave"])
      stage.addEventListener(end, () => (held = null));

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
        records.length === 2
          ? studio.word(
              "From seed to seed …",
              () => {
                dialog.close();
                studio.between(records.map((record) => record.id));
              },
              { title: "Pictures on the way from the first's seed to the second's" },
            )
          : null,
        studio.button("close", "Close", () => dialog.close()),
      ),
      stage,
    );
    show("side");
    return dialog;
  };
})(window.studio);
