// Prompts as text: parts, a negative pair, syntax of other tools, words that a base knows.
// No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const STYLE =
    /[,;]?\s+(?=(?:(?:drawn|painted|rendered|made)\s+)?in\s+(?:the\s+|an?\s+)?[^,;]{1,40}?\bstyle\b)/i;
  const GROUND =
    /[,;]?\s+(?=(?:on|against|over)\s+(?:the\s+|an?\s+)?[^,;]{0,30}?\b(?:background|backdrop)\b)/i;

  /** Parts of a plain prompt, joined by AND; joined ones are made plain again. */
  studio.proposeSplit = function (text) {
    if (/\sAND\s/.test(text))
      return text.replace(/\s+AND\s+/g, " ").replace(/:[+-]?[\d.]+(?=\s|$)/g, "");
    const parts = text
      .trim()
      .split(STYLE)
      .flatMap((part) => part.split(GROUND));
    const found = parts.length > 1 ? parts : text.trim().split(/\s*[,;]\s*/);
    return found
      .map((part) => part.trim())
      .filter(Boolean)
      .join(" AND ");
  };

  /** Rows +w and −(w − 1) that make a usual negative prompt of scale w (Eq. 7 of GCFG). */
  studio.negativeOf = (row, text) => ({
    ...studio.clone(row),
    prompt: text,
    weight: studio.worked(-(row.weight - 1)),
  });

  /** The brackets of weights that find no other: what is said of each kind, once. A smiley's is none. */
  function unpaired(text) {
    const open = [];
    const lone = new Set();
    for (const { 0: mark, index } of text.matchAll(/\\.|[()[\]]/g)) {
      const before = text.slice(0, index);
      if (mark === "(" || mark === "[") open.push({ mark, face: /[:;=]'?-?$/.test(before) });
      else if (open.length && "()[]".includes(open.at(-1).mark + mark)) open.pop();
      else if (mark === ")" && /:\s*[+-]?[\d.]+\s*$/.test(before))
        lone.add("“)” closes nothing: the weight before it is read as plain text.");
    }
    for (const { mark, face } of open)
      if (!face) lone.add(`“${mark}” is never closed: it weighs nothing, and is plain text.`);
    return [...lone];
  }

  /** One line for each piece of another tool's syntax that means nothing here. While one types, what
   *  holds of a finished text alone is among them only where it is `shown` already. */
  studio.foreignHints = function (text, shown = null) {
    const habits = studio.served.hints
      .filter(([pattern]) => new RegExp(pattern, "i").test(text))
      .map(([, hint, finished]) => [`${hint}.`, finished]);
    return [...habits, ...unpaired(text).map((line) => [line, true])]
      .filter(([line, finished]) => !finished || !shown || shown.includes(line))
      .map(([line]) => line);
  };

  const PAUSE = 1500; // ms
  /** Whether a text is being typed: {typed, left, now}; `done` is called once it is no more, as the
   *  field is left or a while after the last letter. */
  studio.typingOf = function (done) {
    let waiting = 0;
    function left() {
      if (!waiting) return;
      clearTimeout(waiting);
      waiting = 0;
      done();
    }
    function typed() {
      clearTimeout(waiting);
      waiting = setTimeout(left, PAUSE);
    }
    return { typed, left, now: () => waiting !== 0 };
  };

  // -- words that a base knows --------------------------------------------------------------
  /** A function of an object, asked once for each. */
  function once(make) {
    const made = new WeakMap();
    return (one) => {
      if (!made.has(one)) made.set(one, make(one));
      return made.get(one);
    };
  }

  /** Letters to change from one word to the other, at most ``most`` + 1. */
  studio.distance = function (a, b, most = 3) {
    if (Math.abs(a.length - b.length) > most) return most + 1;
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= b.length; j += 1)
        next[j] = Math.min(
          row[j] + 1,
          next[j - 1] + 1,
          row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1),
        );
      if (Math.min(...next) > most) return most + 1;
      row = next;
    }
    return row[b.length];
  };

  /** A line of a file is meant, and not the word that the file is called by. */
  const WILDCARD = (studio.WILDCARD = /(?<!\\)__[\p{L}\p{N}_/*.-]{1,200}?__/gu);
  const VARIABLE = /\$\{\s*[\w.-]+(?=\s*[=}:])/g; // its name, of a text that is chosen once

  /** A word without its plural ending. */
  const stem = (studio.stemOf = (word) => word.replace(/(?:(?<=ss|sh|ch|x)es|(?<!s)s)$/, ""));

  const LEARNED = /<[^<>\s]+>/;
  const LETTERS = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’-][\p{L}\p{N}\p{M}]+)*/u;
  // A drawing, with its colour and what it is joined to.
  const EMOJI =
    /\p{RI}{2}|\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*(?:\u200d\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*)*/u;
  const WORD = new RegExp([LEARNED, LETTERS, EMOJI].map(({ source }) => source).join("|"), "gu");

  /** The words of a prompt with their places; learned words such as <hero> are one word each, and so
   *  are emoji. */
  studio.wordsIn = (text) =>
    [...text.matchAll(WORD)].map((match) => ({
      word: match[0],
      start: match.index,
      end: match.index + match[0].length,
    }));

  /** The known phrases as lists of word stems, longest first, by their first stem. */
  studio.phraseIndex = function (phrases) {
    const index = new Map();
    for (const phrase of phrases) {
      const stems = phrase.toLowerCase().split(/\s+/).map(stem);
      index.set(stems[0], [...(index.get(stems[0]) || []), stems]);
    }
    for (const list of index.values()) list.sort((a, b) => b.length - a.length);
    return index;
  };

  /** The words that models have learned, one by one: a model names several, divided by commas. */
  studio.learnedWords = (triggers) =>
    [
      ...new Set(triggers.flatMap((said) => (said || "").split(",").map((word) => word.trim()))),
    ].filter(Boolean);

  /** All that a base reads as a name: its phrases, then other words for them. */
  studio.knownPhrases = once((vocabulary) => [
    ...vocabulary.phrases,
    ...Object.keys(vocabulary.also || {}),
  ]);
  const knownIndex = once((vocabulary) => studio.phraseIndex(studio.knownPhrases(vocabulary)));
  const knownParts = once((vocabulary) =>
    studio.knownPhrases(vocabulary).map((phrase) => {
      const parts = phrase.toLowerCase().split(/\s+/);
      return { phrase, parts, stems: parts.map(stem) };
    }),
  );
  const nearestOf = once(() => new Map()); // by the unknown word

  /** The words of a prompt that belong to no known phrase, with their places.
   *  ``vocabulary``: {phrases, also, words, quiet}; ``more``: words that this row's models have learned. */
  studio.unknownWords = function (text, vocabulary, more = []) {
    const index = more.length
      ? studio.phraseIndex([...studio.knownPhrases(vocabulary), ...more])
      : knownIndex(vocabulary);
    const single = new Set([...vocabulary.words, ...vocabulary.quiet]);
    // A brace that is never closed makes nothing of the words after it.
    const patterns = (studio.served?.hints || [])
      .filter(([, , finished]) => !finished)
      .map(([pattern]) => new RegExp(pattern, "gi"));
    const foreign = [...patterns, WILDCARD, VARIABLE].flatMap((pattern) => [
      ...text.matchAll(pattern),
    ]);
    const words = studio
      .wordsIn(text)
      .filter(
        ({ start }) =>
          !foreign.some(({ index, 0: all }) => start >= index && start < index + all.length),
      );
    const stems = words.map(({ word }) => stem(word.toLowerCase()));
    const unknown = [];
    for (let place = 0; place < words.length;) {
      const found = (index.get(stems[place]) || []).find((phrase) =>
        phrase.every((part, k) => part === stems[place + k]),
      );
      const { word } = words[place];
      const glue =
        ["AND", "BREAK"].includes(word) || /^[\d.-]+$/.test(word) || single.has(word.toLowerCase());
      if (!found && !glue) unknown.push(words[place]);
      place += found ? found.length : 1;
    }
    return unknown;
  };

  /** How far a word is from a phrase: 0.5 where one holds the other, else letters to change. */
  function farness(word, { parts, stems }) {
    const reach = Math.max(1, Math.floor(word.length / 3));
    if (stems.includes(stem(word))) return 0;
    if (parts.some((part) => part.length > 3 && (part.startsWith(word) || word.startsWith(part))))
      return 0.5;
    if (word.length < 3) return Infinity; // too short to be a slip of anything
    const best = Math.min(...parts.map((part) => studio.distance(word, part, reach)));
    return best > reach ? Infinity : best;
  }

  /** The known phrases nearest to an unknown word: those that hold it, that mean it, then by spelling. */
  studio.nearest = function (word, vocabulary, count = 4) {
    const plain = word.toLowerCase();
    const known = nearestOf(vocabulary);
    if (!known.has(plain)) known.set(plain, nearestTo(plain, vocabulary));
    return known.get(plain).slice(0, count);
  };

  function nearestTo(plain, vocabulary) {
    const meant = vocabulary.near?.[plain] || vocabulary.near?.[stem(plain)] || [];
    const unlike = (phrase) => Math.abs(phrase.length - plain.length);
    const scored = knownParts(vocabulary)
      .map((known) => [farness(plain, known), known.phrase])
      .filter(([far]) => far < Infinity)
      .sort((a, b) => a[0] - b[0] || unlike(a[1]) - unlike(b[1]));
    const holding = scored.filter(([far]) => far === 0).map(([, phrase]) => phrase);
    const near = [...new Set([...holding, ...meant])];
    const spelled = near.length ? [] : scored.map(([, phrase]) => phrase);
    return [...near, ...spelled];
  }

  /** A known phrase in the place of an unknown word: {text, caret}. What of the phrase stands around
   *  the word already ("in flat" before "stile") stands once. */
  studio.withPhrase = function (text, { start, end }, phrase) {
    const words = phrase.toLowerCase().split(/\s+/);
    const around = (part) =>
      studio.wordsIn(part).map((one) => ({ ...one, word: one.word.toLowerCase() }));
    /** The most words beside the unknown one, taken by `beside`, that `of` the phrase there are. */
    function standing(beside, of) {
      for (let count = words.length - 1; count > 0; count -= 1) {
        const there = beside(count);
        if (there.map(({ word }) => word).join(" ") === of(count).join(" ")) return there;
      }
      return [];
    }
    const [left, right] = [around(text.slice(0, start)), around(text.slice(end))];
    const before = standing(
      (count) => left.slice(-count),
      (count) => words.slice(0, count),
    );
    const after = standing(
      (count) => right.slice(0, count),
      (count) => words.slice(-count),
    );
    const from = before[0]?.start ?? start;
    const to = end + (after.at(-1)?.end ?? 0);
    return { text: text.slice(0, from) + phrase + text.slice(to), caret: from + phrase.length };
  };

  // -- completion ---------------------------------------------------------------------------
  /** The known phrases that the words before the caret begin: {start, options} or null. A phrase is
   *  a text, or {name, text} of one that is called by a name. */
  studio.completions = function (text, caret, phrases, most = 6) {
    const before = text.slice(0, caret);
    if (/[\p{L}\p{N}]/u.test(text.slice(caret, caret + 1))) return null; // inside a word
    const starts = studio
      .wordsIn(before)
      .slice(-4)
      .map(({ start }) => start);
    for (const start of starts) {
      const typed = before.slice(start).toLowerCase();
      if (typed.length < 2 || /[,;:()\n]/.test(typed)) continue;
      const begins = (one) => one.toLowerCase().startsWith(typed) && one.length > typed.length;
      const called = ({ name = "" }) => name.toLowerCase().startsWith(typed);
      const options = phrases
        .filter((one) => (one.text ? called(one) || begins(one.text) : begins(one)))
        .slice(0, most);
      if (options.length) return { start, options };
    }
    return null;
  };
})(window.studio);
