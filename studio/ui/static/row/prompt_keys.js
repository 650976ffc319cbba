// What keys do to a prompt's text: Ctrl and an arrow weigh a piece, Alt and an arrow move a part.
// No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)`;
  const TAG = new RegExp(String.raw`<(?:lora|lyco):[^<>:]+(?::(${NUMBER}))?[^<>]*>`, "g");
  const BRACKETED = new RegExp(String.raw`(?<!\\)\(([^()]*?)(?::${NUMBER})?\)`, "g");
  const ROUND = 1.1; // what brackets without a number weigh

  /** The match of `pattern` that holds what lies between the two places, if any. */
  function around(text, pattern, start, end) {
    for (const match of text.matchAll(pattern))
      if (match.index <= start && end <= match.index + match[0].length) return match;
    return null;
  }

  /** The bracket that is open at a place, innermost; "" outside of all. */
  function openAt(text, place) {
    const open = [];
    for (const mark of text.slice(0, place).replace(/\\./g, "  ")) {
      if ("([{".includes(mark)) open.push(mark);
      else if (")]}".includes(mark)) open.pop();
    }
    return open.at(-1) || "";
  }

  /** The bracketed piece or the word at the cursor: [start, end]. What turns a text by steps or by
   *  chance, [cat:dog:0.5] and {2::cat|owl}, stays whole: its marks end a word, its numbers are none. */
  function pieceAt(text, place) {
    const held = around(text, BRACKETED, place, place);
    if (held) return [held.index + 1, held.index + 1 + held[1].length];
    const turns = "[{".includes(openAt(text, place) || "none");
    const ends = turns ? /[\s,()[\]{}|\\:$]/ : /[\s,()[\]{}|\\]/;
    let [start, end] = [place, place];
    while (start > 0 && !ends.test(text[start - 1])) start -= 1;
    while (end < text.length && !ends.test(text[end])) end += 1;
    const number = turns && /^[\d.+-]*$/.test(text.slice(start, end));
    return number ? [place, place] : [start, end];
  }

  /** The strength of a LoRA's tag, by so much more; the text encoder's own, behind it, stays. */
  function strengthen(text, match, by) {
    const [tag, strength] = match;
    const named = tag.match(/^<\w+:[^<>:]+/)[0];
    const more = studio.tidy(Number(strength ?? 1) + by);
    const rest = tag.slice(named.length + (strength === undefined ? 0 : strength.length + 1));
    const written = `${named}:${more}${rest}`;
    const before = text.slice(0, match.index);
    const start = match.index + 1;
    const after = text.slice(match.index + tag.length);
    return { text: before + written + after, start, end: start + written.length - 2 };
  }

  /** Weigh what is selected, or what stands at the cursor, by so much more: {text, start, end}. A
   *  LoRA's tag has a strength of its own, which changes by half as much. */
  studio.weigh = function (text, start, end, by) {
    const tag = around(text, TAG, start, end);
    if (tag) return strengthen(text, tag, by / 2);
    if (start === end) [start, end] = pieceAt(text, start);
    while (start < end && /\s/.test(text[start])) start += 1;
    while (start < end && /\s/.test(text[end - 1])) end -= 1;
    if (start === end) return { text, start, end };
    const whole = text.slice(start, end).match(/^\(([^()]*):([+-]?[\d.]+)\)$/);
    if (whole) {
      start += 1;
      end = start + whole[1].length;
    }
    const opens = text[start - 1] === "(" && text[start - 2] !== "\\";
    const weighed = opens && text.slice(end).match(/^(?::([+-]?[\d.]+))?\)/);
    const now = weighed ? Number(weighed[1] ?? ROUND) : 1;
    const weight = studio.tidy(now + by);
    const inner = text.slice(start, end);
    const [before, after] = weighed
      ? [text.slice(0, start - 1), text.slice(end + weighed[0].length)]
      : [text.slice(0, start), text.slice(end)];
    const shift = before.length + (weight === 1 ? 0 : 1);
    return {
      text: before + (weight === 1 ? inner : `(${inner}:${weight})`) + after,
      start: shift,
      end: shift + inner.length,
    };
  };

  /** What commas divide, outside of brackets and between two of AND, BREAK and line breaks, around a
   *  place: [[start, end], …]. */
  function partsAround(text, place) {
    const found = [];
    let from = 0;
    let depth = 0;
    for (const { 0: mark, index } of text.matchAll(/\\.|\b(?:AND|BREAK)\b|[()[\]{}<>,\n]/g)) {
      if ("([{<".includes(mark)) depth += 1;
      else if (")]}>".includes(mark)) depth = Math.max(0, depth - 1);
      else if (depth || mark[0] === "\\") continue;
      else {
        found.push([from, index]);
        from = index + mark.length;
        if (mark === ",") continue;
        if (index >= place) return found;
        found.length = 0;
      }
    }
    return [...found, [from, text.length]];
  }

  /** Without the blanks at both ends. */
  function trimmed(text, [start, end]) {
    while (start < end && /\s/.test(text[start])) start += 1;
    while (start < end && /\s/.test(text[end - 1])) end -= 1;
    return [start, end];
  }

  /** The part at the cursor, past the comma before (`by` −1) or behind it: {text, start, end}. */
  studio.movePart = function (text, start, end, by) {
    const parts = partsAround(text, start);
    const at = parts.findIndex(([, last]) => start <= last);
    const other = parts[at + by];
    if (!other) return { text, start, end };
    const [[a, b], [c, d]] = [parts[at], other]
      .map((one) => trimmed(text, one))
      .sort(([one], [two]) => one - two);
    const [first, second] = [text.slice(a, b), text.slice(c, d)];
    const moved = text.slice(0, a) + second + text.slice(b, c) + first + text.slice(d);
    const from = by < 0 ? a : d - first.length;
    return { text: moved, start: from, end: from + (by < 0 ? second : first).length };
  };
})(window.studio);
