// Scores under pictures: asked for once a picture is shown, drawn where it stands, and the strip's order.
(function (studio) {
  "use strict";
  const { el } = studio;
  const KEY = "guidance-studio-scores";
  const HELP =
    "Scores a finished picture with networks that are already here, once nothing is being made: " +
    "clip-t, how it follows the text; clip-i, how it resembles the subject's pictures; " +
    "judge-attributes, the part of the prompt's content, style and background that the starter's judge sees.";
  const byName = {};
  const byId = {};
  let order = "new";

  const stored = () => {
    try {
      return localStorage.getItem(KEY) !== "off";
    } catch {
      return true;
    }
  };
  let on = stored();

  /** A picture's scores in a line; "" where it has none, or they are switched off. */
  studio.scoresText = function (name) {
    const scores = on ? byName[name] : null;
    return Object.entries(scores || {})
      .map(([metric, value]) => `${metric} ${studio.sayDecimals(value, 3)}`)
      .join(" · ");
  };

  /** The strip's pictures in the order that is chosen; those without that score come last. */
  studio.inOrder = function (items) {
    if (order === "new") return items;
    const score = (item) => byId[item.id]?.[order] ?? -Infinity;
    return [...items].sort((a, b) => score(b) - score(a));
  };

  /** Where a picture's scores are drawn. */
  studio.scoresNode = (name) =>
    write(el("span", { class: "gs-scores", translate: "no", "data-scores-of": name || "" }));

  /** What is known of a picture, whole in the title where the line is too short for it. */
  function write(node) {
    node.textContent = node.title = studio.scoresText(node.dataset.scoresOf);
    return node;
  }

  function redraw() {
    for (const node of document.querySelectorAll("[data-scores-of]")) write(node);
  }

  studio.mountScores = function (element, props, trigger, watch) {
    let shown = [];
    const asked = new Set();
    const check = el("input", {
      type: "checkbox",
      class: "gs-check",
      onchange: () => {
        on = check.checked;
        try {
          localStorage.setItem(KEY, on ? "on" : "off");
        } catch {
          /* private mode */
        }
        redraw();
        ask();
      },
    });
    check.checked = on;
    const select = el("select", {
      class: "gs-select",
      "aria-label": "Order of the pictures",
      onchange: () => {
        order = select.value;
        studio.emit("order", order);
      },
    });
    const bar = el(
      "div",
      { class: "gs-line gs-scores-bar", hidden: true },
      select,
      el("label", { title: HELP }, check, " Scores"),
    );
    element.replaceChildren(bar);

    function offer() {
      const names = new Set(Object.values(byId).flatMap((scores) => Object.keys(scores)));
      const options = [
        ["new", "Newest first"],
        ...[...names].sort().map((name) => [name, `Best ${name} first`]),
      ];
      if (select.options.length === options.length) return;
      select.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
      select.value = order;
    }
    /** Ask for what is not known yet: earlier pictures' kept scores, and new pictures' own. */
    function ask() {
      if (!on) return;
      const ids = shown.map((item) => item.id).filter((id) => !asked.has(id));
      if (!ids.length) return;
      ids.forEach((id) => asked.add(id));
      trigger("select", { ids, compute: true });
    }
    watch("value", () => {
      const { scores = {} } = studio.clone(props.value) || {};
      for (const item of shown)
        if (scores[item.id]) {
          byId[item.id] = scores[item.id];
          byName[item.image.name] = scores[item.id];
        }
      offer();
      redraw();
      if (order !== "new") studio.emit("order", order);
    });
    studio.on("language", redraw);
    studio.on("strip", (items) => {
      shown = items;
      bar.hidden = !items.length;
      ask();
    });
    offer();
  };
})(window.studio);
