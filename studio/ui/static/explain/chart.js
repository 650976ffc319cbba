// Shares over time as lines of a small chart, and what was measured in words. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const HELP =
    "Each picture is what the row's prediction alone would have led to from there. A row's share is " +
    "its part of all rows' pull at a step.";
  const FIRST_PASS =
    "This picture has a second pass: the small pictures below are of the first, shares and drift of both.";
  const FIRST_ROUND =
    "This picture went through several rounds: the small pictures below are of the first, shares and drift of all.";
  const OTHER =
    "The picture made again here is not the same in every pixel, as where it was made in a batch, on " +
    "another machine, or with other weights or another version; what is shown is of the one made here.";

  /**
   * What the chart of a picture's rows draws, in pixels of a box.
   * @param rows each with `row` and `share`, a number from 0 to 1 or null for every step
   * @param moments steps, from 1, that are marked
   */
  studio.shareLines = function (rows, moments, { width, height, left, right, top, bottom }) {
    const steps = Math.max(1, ...rows.map((one) => one.share.length));
    const across = (step) => left + (steps > 1 ? step / (steps - 1) : 0.5) * (width - left - right);
    const up = (share) => height - bottom - share * (height - top - bottom);
    const lines = rows.map(({ row, share }) => {
      const pieces = [];
      share.forEach((value, step) => {
        if (value === null) return;
        if (step === 0 || share[step - 1] === null) pieces.push([]);
        pieces.at(-1).push([across(step), up(value)]);
      });
      const point = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
      return {
        row,
        path: pieces
          .filter((piece) => piece.length > 1)
          .map((piece) => `M${piece.map(point).join("L")}`)
          .join(""),
        dots: pieces.filter((piece) => piece.length === 1).map(([only]) => only),
      };
    });
    return {
      lines,
      marks: moments.map((moment) => [across(moment - 1), moment]),
      ticks: [0, 0.5, 1].map((share) => [up(share), `${share * 100} %`]),
      last: [across(steps - 1), steps],
    };
  };

  /**
   * A row's part of what all rows did, over the steps at which all that took part were measured;
   * null where there is none.
   * @param norm the row's, a number or null for every step
   * @param rows all, each with `norm` and `share`
   */
  studio.partOfAll = function (norm, rows) {
    const known = (step) => rows.some(({ share }) => (share[step] ?? null) !== null);
    const sum = (norms) =>
      norms.reduce((total, value, step) => total + (known(step) ? (value ?? 0) : 0), 0);
    const total = rows.reduce((all, one) => all + sum(one.norm), 0);
    return total && norm.some((value) => value !== null) ? sum(norm) / total : null;
  };

  /**
   * What is to be known of the strips, sentence by sentence.
   * @param same whether the picture made again is the same in every pixel
   */
  studio.aboutStrips = ({ second_pass: enlarged, rounds }, same) => [
    HELP,
    ...(enlarged ? [FIRST_PASS] : []),
    ...(rounds > 1 ? [FIRST_ROUND] : []),
    ...(same ? [] : [OTHER]),
  ];

  /** Why a row that was measured has no part of what all rows did. */
  studio.whyNoPart = function (norms) {
    return norms.every((norm) => !norm)
      ? "no share: in pure noise no row changes what is noise"
      : "share not known: passes of another row cancel out";
  };

  /** The part in percent; "" where there is none. */
  studio.wholeShare = function (norm, rows) {
    const part = studio.partOfAll(norm, rows);
    return part === null ? "" : `${Math.round(part * 100)} %`;
  };

  const say = (text) => studio.say?.(text) ?? text; // beside names, which stay as they are

  /** Drift in words: of each weights, at most so many steps, evenly from the first to the last. */
  studio.driftText = function ({ weights, norm }, most = 4) {
    const known = norm.flatMap((value, step) => (value === null ? [] : [[step + 1, value]]));
    const count = Math.min(most, known.length);
    const chosen = Array.from({ length: count }, (_, i) =>
      known.at(count > 1 ? Math.round((i * (known.length - 1)) / (count - 1)) : 0),
    );
    return `${weights}: ${chosen.map(([step, value]) => say(`${value.toPrecision(2)} at step ${step}`)).join(", ")}`;
  };
})(window.studio);
