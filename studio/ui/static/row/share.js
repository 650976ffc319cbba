// How much a row moved the last image: a sparkline and its part of the sum of all terms.
(function (studio) {
  "use strict";
  const { el } = studio;
  const WIDTH = 120;
  const HEIGHT = 18;

  const svgNode = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };

  /** Square root, since the first step is large. */
  function sparkline(norms, peak, label) {
    const step = WIDTH / Math.max(1, norms.length - 1);
    const height = (norm) => HEIGHT - 1 - Math.sqrt((norm ?? 0) / (peak || 1)) * (HEIGHT - 3);
    const points = norms.map((norm, i) => `${(i * step).toFixed(1)},${height(norm).toFixed(1)}`);
    const svg = svgNode("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    });
    const filled = [`0,${HEIGHT}`, ...points, `${WIDTH},${HEIGHT}`];
    svg.append(svgNode("polygon", { points: filled.join(" ") }));
    svg.append(svgNode("polyline", { points: points.join(" ") }));
    return svg;
  }

  /** {along, part}: the mean cosine with all rows together, weighed by the term's size. */
  studio.meanCosine = function (norms, cosines) {
    const measured = norms
      .map((norm, i) => [norm, cosines?.[i]])
      .filter(([norm, cosine]) => norm !== null && Number.isFinite(cosine));
    const total = measured.reduce((sum, [norm]) => sum + norm, 0) || 1;
    return measured.reduce((sum, [norm, cosine]) => sum + norm * cosine, 0) / total;
  };

  /** Why a row of the last image has no share. ``acted``: it took part, in passes that cancel out. */
  studio.whyNoShare = function (row, acted) {
    if (!row.enabled) return "no share: the row was left out";
    if (row.weight === 0) return "no share: its weight is 0";
    return acted
      ? "share not known: a pass that it is compared with cancels out, as beside a negative prompt"
      : "no share: it took no part";
  };

  studio.shareView = function () {
    const node = el("div", { class: "gs-share", hidden: true });
    return {
      element: node,
      /** ``share``: {norm, cosine} of the row; ``part`` of all rows, null where another's is not
       *  known; ``why`` there is none. */
      show(share, peak, part, why = "") {
        const known = Boolean(share?.norm.some((norm) => norm !== null));
        node.hidden = !known && !why;
        if (!known) {
          node.replaceChildren(el("span", { class: "gs-share-text" }, why));
          return;
        }
        if (part === null) {
          node.title = "";
          const unknown = studio.whyNoPart(share.norm);
          node.replaceChildren(el("span", { class: "gs-share-text" }, unknown));
          return;
        }
        const along = studio.meanCosine(share.norm, share.cosine);
        const text = `${Math.round(part * 100)} %`;
        node.title = `How much this row moved the last image, from the first step to the last. Cosine with all rows together: ${along.toFixed(2)}`;
        node.replaceChildren(
          el(
            "span",
            { class: "gs-share-text" },
            `share ${text} · cos ${along.toFixed(2).replace("-", "−")}`,
          ),
          sparkline(
            share.norm,
            peak,
            `This row's share of the guidance, step by step: ${text} in all`,
          ),
        );
      },
    };
  };
})(window.studio);
