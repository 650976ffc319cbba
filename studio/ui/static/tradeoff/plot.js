// The trade-off as a picture: a point for each setting, those of the front to be chosen.
(function (studio) {
  "use strict";
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const BOX = { width: 440, height: 280, left: 52, right: 14, top: 12, bottom: 40 };

  function draw(tag, attributes, ...children) {
    const node = document.createElementNS(NAMESPACE, tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  }

  const words = (x, y, anchor, text, more = {}) =>
    draw("text", { x, y, "text-anchor": anchor, ...more }, text);

  function axes(plot, value) {
    const { width, height, left, right, top, bottom } = BOX;
    const foot = height - bottom;
    return [
      ...plot.x.flatMap(([at, tick]) => [
        draw("path", { class: "gs-grid-line", d: `M${at} ${top}V${foot}` }),
        words(at, foot + 14, "middle", String(tick)),
      ]),
      ...plot.y.flatMap(([at, tick]) => [
        draw("path", { class: "gs-grid-line", d: `M${left} ${at}H${width - right}` }),
        words(left - 5, at + 4, "end", String(tick)),
      ]),
      words((left + width - right) / 2, height - 6, "middle", `${value.x.title} →`),
      words(0, 0, "middle", `${value.y.title} →`, {
        transform: `translate(11 ${(top + foot) / 2}) rotate(-90)`,
      }),
    ];
  }

  /** What a setting's point says of itself. */
  function described(point, value) {
    const score = (name, [mean, low, high]) =>
      `${name} ${mean.toFixed(3)}, ${low.toFixed(3)} to ${high.toFixed(3)}`;
    const facts = [
      `${studio.settingText(point.values)}: ${score(value.x.name, point.x)}`,
      score(value.y.name, point.y),
      `${point.pictures} ${point.pictures === 1 ? "picture" : "pictures"}`,
      point.stopped ? "given up early: another is better in both scores" : "",
    ];
    return facts.filter(Boolean).join(" · "); // each of them a message
  }
  studio.describePoint = described;

  /** The editor {element, read, write}: reads a search's state, writes the chosen point's index. */
  studio.tradeoffPlotEditor = function ({ choose }) {
    const svg = draw("svg", {
      viewBox: `0 0 ${BOX.width} ${BOX.height}`,
      class: "gs-tradeoff-plot",
      role: "group",
      "aria-label": "Settings by their scores; the line joins those that no other beats",
    });
    let chosen = null;
    function dot({ index, x, y, kind }, value) {
      const text = described(value.points[index], value);
      const pick = () => {
        chosen = index;
        choose(index);
      };
      const taken = {
        role: "button",
        tabindex: "0",
        "aria-label": `Use ${text}`,
        onclick: pick,
        onkeydown: (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          pick();
        },
      };
      return draw(
        "g",
        { class: `gs-dot gs-dot-${kind}`, "data-index": index, ...taken },
        draw("circle", { cx: x, cy: y, r: 12, class: "gs-dot-reach" }),
        draw("circle", { cx: x, cy: y, r: kind === "front" ? 6 : 4 }),
        draw("title", {}, text),
      );
    }
    return {
      element: svg,
      read(value) {
        const plot = studio.tradeoffPlot(value.points, BOX);
        const order = { stopped: 0, point: 1, front: 2 };
        const dots = [...plot.dots].sort((a, b) => order[a.kind] - order[b.kind]);
        svg.hidden = !value.points.length;
        svg.style.display = value.points.length ? "" : "none";
        svg.replaceChildren(
          ...(value.points.length ? axes(plot, value) : []),
          draw("polyline", { class: "gs-front-line", points: plot.line }),
          ...dots.map((one) => dot(one, value)),
        );
      },
      write: () => chosen,
    };
  };
})(window.studio);
