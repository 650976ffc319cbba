// The scale of classifier-free guidance: one number for the weights of all rows, as other tools have it.
// The same rules as in studio/preset/scale.py.
(function (studio) {
  "use strict";
  const { el } = studio;
  const ONE = 1e-6;
  const PATH = "cfg";

  function parts(rows) {
    const solo = rows.some((row) => row.solo && row.enabled);
    const takes = (row) => row.enabled && (row.solo || !solo);
    const taking = rows.flatMap((row, at) => (takes(row) ? [at] : []));
    if (taking.some((at) => rows[at].reference !== "unconditional")) return [[], []];
    const toward = taking.filter((at) => rows[at].weight > 0);
    let away = taking.filter((at) => rows[at].weight < 0);
    const zero = taking.filter((at) => rows[at].weight === 0);
    // Scale 1 leaves nothing of a negative prompt; of several rows at 0 nothing tells their shares.
    if (!away.length && toward.length === 1 && zero.length === 1 && one(rows, toward)) away = zero;
    return [toward, away];
  }
  const sum = (rows, places) => places.reduce((all, at) => all + Number(rows[at].weight), 0);
  const one = (rows, places) => Math.abs(sum(rows, places) - 1) < ONE;

  /** The scale of rows: {value, null where their weights are of none; can, whether it can be set; away,
   *  whether there are negative prompts}. */
  studio.guidanceScaleOf = function (rows) {
    const [toward, away] = parts(rows);
    const is = toward.length > 0 && (!away.length || one(rows, [...toward, ...away]));
    return {
      value: is ? rows[toward[0]].weight : null,
      can: is || toward.length === 1,
      away: away.length > 0,
    };
  };

  /** The weights of all rows under another scale; one that is no number stands in them as it is. */
  studio.weightsOfScale = function (rows, scale) {
    const [toward, away] = parts(rows);
    const weights = rows.map(({ weight }) => weight);
    if (!Number.isFinite(scale)) {
      for (const at of [...toward, ...away]) weights[at] = scale;
      return weights;
    }
    const grown = scale / weights[toward[0]];
    for (const at of toward) weights[at] = studio.worked(rows[at].weight * grown);
    const rest = 1 - toward.reduce((all, at) => all + weights[at], 0);
    const before = sum(rows, away);
    for (const at of away)
      weights[at] = studio.worked(before ? (rest * rows[at].weight) / before : rest / away.length);
    return weights;
  };

  /** Of rows without a negative prompt, what a first one weighs so that all of them are of a scale, and
   *  the row that it stands behind: {weight, at}; null where there is one, or no room for it. */
  studio.firstNegative = function (rows) {
    const [toward, away] = parts(rows);
    const weight = studio.worked(1 - sum(rows, toward));
    return toward.length && !away.length && weight < 0 ? { weight, at: toward.at(-1) } : null;
  };

  /** The button that adds it: {element, read()}. */
  studio.negativeAdder = function (stack) {
    const place = () => studio.firstNegative(stack.cards.map(({ row }) => row));
    const element = el(
      "button",
      {
        type: "button",
        class: "gs-link",
        hidden: true,
        title: "Add its row, with the weight that makes two passes of both",
        onclick() {
          const { at, weight } = place();
          stack.addNegative(stack.cards[at], { weight });
        },
      },
      "Negative prompt",
    );
    return { element, read: () => (element.hidden = !place()) };
  };

  const sameParts = (rows, others) => {
    const told = (all) =>
      all.map(({ weight, enabled, solo, reference }) => [weight, enabled, solo, reference]);
    return studio.asText(told(rows)) === studio.asText(told(others));
  };

  /** The field above the rows: {element, read(), forget()}; there where a row leads away from something. */
  studio.scaleField = function (stack) {
    const rows = () => stack.cards.map((card) => card.row);
    const weight = studio.fieldOf("Row", "weight");
    // Below 1 the negative prompt would be one more that the picture is led to.
    const field = { ...weight, low: 1, nullable: true, name: PATH };
    // The rows that one typed over, and what became of them: on the way to 12 lies 1, which leaves
    // nothing of several negative prompts.
    let [from, made] = [null, null];
    let typed = null;
    const fits = (scale) =>
      Number.isFinite(scale) && scale >= field.low && scale <= (field.high ?? Infinity);
    const base = () => (made && sameParts(rows(), made) ? from : rows());
    const number = studio.numberEditor({
      field,
      label: "CFG scale",
      step: 0.5,
      changed() {
        const scale = number.write();
        if (scale === null) return takeBack();
        if (!studio.guidanceScaleOf(base()).can) return;
        [from, typed] = [studio.clone(base()), scale];
        put(studio.weightsOfScale(from, scale));
      },
    });
    /** At once: one step of undo. */
    function put(weights) {
      stack.cards.forEach((card, at) => Object.assign(card.row, { weight: weights[at] }));
      made = studio.clone(rows());
      stack.cards.forEach((card) => card.refresh());
      stack.commit();
    }
    /** A scale that cannot be leaves nothing in the rows when it is deleted. */
    function takeBack() {
      if (base() !== from || fits(typed)) return;
      put(from.map(({ weight }) => weight));
    }
    // Left empty it shows again what holds.
    number.box.addEventListener("change", () => {
      if (!number.box.value.trim()) number.read(studio.guidanceScaleOf(rows()).value);
    });
    const vary = studio.varyButton({
      title: "CFG scale",
      text: "CFG scale",
      path: () => PATH,
      values: () => studio.valuesAround(field, studio.guidanceScaleOf(rows()).value ?? undefined),
    });
    const element = el("span", { class: "gs-scale", hidden: true }, vary.element, number.element);
    return {
      element,
      /** Other rows have come: none of these is what became of earlier ones. */
      forget: () => ([from, made] = [null, null]),
      read() {
        const { can, away } = studio.guidanceScaleOf(base());
        const focused = document.activeElement === number.box;
        element.hidden = !(can && away) && !(focused && stack.cards.length);
        if (!focused) number.read(studio.guidanceScaleOf(rows()).value);
      },
    };
  };
})(window.studio);
