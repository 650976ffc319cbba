// Two to four pictures beside each other, zoomed together; two also under a slider and as a difference.
(function (studio) {
  "use strict";
  const { el } = studio;
  const MODES = { side: "Side by side", slider: "Slider", difference: "Difference" };

  /** Why there is no way from the seed of one picture to that of another; "" where there is. */
  studio.whyNotBetween = function (records) {
    if (records.some(({ varied }) => varied))
      return "One of them is a variation, which has no seed of its own.";
    const [one, two] = records.map(({ seed }) => seed);
    return one === two ? `Both have the seed ${one}.` : "";
  };

  /** What may be done with one of them: its star, and using it again. */
  function doneWith(record, { star, again }, close) {
    const toggle = studio.starButton(record, (starred) => star(record.id, starred));
    const use = studio.word("Use again", () => {
      again(record.id);
      close();
    });
    return [toggle, use];
  }

  /** @param tools of pictures of the history: star(id, starred), again(id) */
  studio.compareDialog = function (records, tools = null) {
    const pictures = records.map((record) => studio.wholePicture(record, null));
    const frames = records.map((record, index) =>
      el(
        "figure",
        {},
        el("div", { class: "gs-compare-frame" }, pictures[index]),
        el(
          "figcaption",
          {},
          el(
            "div",
            { class: "gs-line" },
            el("strong", { translate: record.words ? null : "no" }, record.title),
            ...(tools ? doneWith(record, tools, () => dialog.close()) : []),
          ),
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
        onkeydown: (event) => zoom.key(event),
      },
      ...frames,
    );
    const zoom = studio.zooming(stage, { frames: ".gs-compare-frame", pictures: () => pictures });
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
