// Two things in one prompt for a base that draws one, such as "a cat astronaut on the moon".
(function (studio) {
  "use strict";
  const CHOSEN = /[{}[\]|]/; // alternatives, of which one is drawn
  const indexes = new WeakMap();

  /** What a vocabulary says of phrases that stand alone, by their first stem, longest first. */
  function indexOf(vocabulary) {
    if (indexes.has(vocabulary)) return indexes.get(vocabulary);
    const { groups, joined } = vocabulary.alone;
    const phrases = vocabulary.groups
      .filter(({ title }) => groups.includes(title))
      .flatMap((group) => group.phrases);
    const things = new Set(phrases);
    const entries = [
      ...phrases.map((phrase) => [phrase, phrase]),
      ...Object.entries(vocabulary.also || {}).filter(([, phrase]) => things.has(phrase)),
      ...joined.map((phrase) => [phrase, null]),
      // "on a sky background" is no thing of its own.
      ...vocabulary.phrases.filter((phrase) => !things.has(phrase)).map((phrase) => [phrase, ""]),
    ];
    const index = new Map();
    for (const [text, phrase] of entries) {
      const stems = text.toLowerCase().split(/\s+/).map(studio.stemOf);
      index.set(stems[0], [...(index.get(stems[0]) || []), { stems, phrase }]);
    }
    for (const list of index.values()) list.sort((a, b) => b.stems.length - a.stems.length);
    indexes.set(vocabulary, index);
    return index;
  }

  /** The first two things that a part of a prompt names without what could join them; null where it
   *  names one, or the base does not say. */
  studio.crowded = function (prompt, vocabulary) {
    if (!vocabulary?.alone || CHOSEN.test(prompt)) return null;
    const index = indexOf(vocabulary);
    for (const part of prompt.split(/\bAND\b|\bBREAK\b/)) {
      const words = studio.wordsIn(part);
      const stems = words.map(({ word }) => studio.stemOf(word.toLowerCase()));
      const things = new Map(); // phrase → as it is written
      let joins = 0;
      for (let place = 0; place < stems.length;) {
        const hit = (index.get(stems[place]) || []).find((one) =>
          one.stems.every((each, k) => each === stems[place + k]),
        );
        const { length } = hit?.stems || [0];
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
