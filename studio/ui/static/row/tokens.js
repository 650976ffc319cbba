// How long a prompt is: its tokens, counted as a text encoder's windows do, roughly.
(function (studio) {
  "use strict";
  const TOKEN = /<[^<>\s]+>|[\p{L}]+|\p{N}|[^\s\p{L}\p{N}]+/gu;
  const blanks = (studio.blanks = (text) => " ".repeat(text.length));

  /** A part of a prompt with its weights blanked out, every other letter in its place. */
  const unweighted = (text) =>
    text
      .replace(
        /\(([^()]*?)(:[+-]?\d*\.?\d+\))/g,
        (_, inner, weight) => ` ${inner}${blanks(weight)}`,
      )
      .replace(/:[+-]?\d*\.?\d+(?=\s*$)/, blanks);

  /** The parts of a prompt at AND and its windows at BREAK, each with its tokens' places; a base with
   *  a vocabulary has one a word. */
  function tokensOf(text) {
    const parts = [];
    let start = 0;
    for (const [number, piece] of text.split(/(\sAND\s|\bBREAK\b)/).entries()) {
      const from = start;
      start += piece.length;
      if (number % 2) continue;
      const places = [...unweighted(piece).matchAll(TOKEN)].map((match) => from + match.index);
      parts.push({ places, end: start });
    }
    const full = parts.filter(({ places }) => places.length);
    return full.length ? full : parts.slice(0, 1);
  }

  /** Roughly how many tokens a prompt takes, and where it leaves a window of ``limit``:
   *  {longest, total, parts, over}; ``over`` are spans {start, end} beyond a part's window. */
  studio.tokenCount = function (text, limit = 0) {
    const parts = tokensOf(text);
    const counts = parts.map(({ places }) => places.length);
    return {
      longest: Math.max(...counts),
      total: counts.reduce((sum, count) => sum + count, 0),
      parts: parts.length,
      over: limit
        ? parts
            .filter(({ places }) => places.length > limit)
            .map(({ places, end }) => ({ start: places[limit], end }))
        : [],
    };
  };
})(window.studio);
