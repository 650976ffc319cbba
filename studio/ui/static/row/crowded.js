// Two things in one prompt for a base that draws one, such as "a cat astronaut on the moon".
(function (studio) {
  "use strict";
  const CHOSEN = /[{}[\]|]/; // alternatives, of which one is drawn
  const NAME = /\w*_\w*/g; // such as a trigger word
  const indexes = new WeakMap();

  /** What a vocabulary says of phrases that stand alone, by their first stem, longest first. */
  function indexOf(vocabulary) {
    if (indexes.has(vocabulary)) return indexes.get(vocabulary);
    const { groups, joined } = vocabulary.alone;
    const phrases = vocabulary.groups
      .filter(({ title }) => groups.includes(title))
      .flatMap((group) => group.phrases);
    const things = new Set(phrases);
    const colours = new Set(vocabulary.words); // "orange" may be one
    const entries = [
      ...phrases.map((phrase) => [phrase, colours.has(phrase) ? "" : phrase]),
      ...joined.map((phrase) => [phrase, null]),
      // "on a sky background" is no thing of its own.
      ...vocabulary.phrases.filter((phrase) => !things.has(phrase)).map((phrase) => [phrase, ""]),
    ];
    const index = new Map();
    for (const [text, phrase] of entries) {
      const parts = text.toLowerCase().split(/\s+/);
      const first = studio.stemOf(parts[0]);
      index.set(first, [...(index.get(first) || []), { parts, phrase }]);
    }
    for (const list of index.values()) list.sort((a, b) => b.parts.length - a.parts.length);
    indexes.set(vocabulary, index);
    return index;
  }

  /** Whether a word is a part of a phrase, or its plural; "short" is no shorts. */
  const isPart = (word, part) =>
    word === part || (studio.stemOf(part) === part && studio.stemOf(word ?? "") === part);

  /** A prompt without what no word of it is: wildcards, and what its models call by words of their own. */
  function plain(prompt, own) {
    const blanked = (text, part) => text.replaceAll(part, studio.blanks);
    return [...own, studio.WILDCARD, NAME].reduce(blanked, prompt);
  }

  /** The first two things that a part of a prompt names without what could join them; null where it
   *  names one, or the base does not say. ``own``: words that the row's models have learned. */
  studio.crowded = function (prompt, vocabulary, own = []) {
    if (!vocabulary?.alone || CHOSEN.test(prompt)) return null;
    const index = indexOf(vocabulary);
    for (const part of plain(prompt, own).split(/\bAND\b|\bBREAK\b/)) {
      const words = studio.wordsIn(part);
      const said = words.map(({ word }) => word.toLowerCase());
      const things = new Map(); // phrase → as it is written
      let joins = 0;
      for (let place = 0; place < said.length;) {
        const hit = (index.get(studio.stemOf(said[place])) || []).find((one) =>
          one.parts.every((each, k) => isPart(said[place + k], each)),
        );
        const { length } = hit?.parts || [0];
        if (hit?.phrase === null) joins += 1;
        else if (hit?.phrase)
          things.set(hit.phrase, part.slice(words[place].start, words[place + length - 1].end));
        place += length;
      }
      if (things.size > Math.min(2, joins + 1)) return [...things.values()].slice(0, 2);
    }
    return null;
  };
})(window.studio);
