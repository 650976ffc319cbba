// Words under a prompt: unknown ones underlined with the nearest known ones to click, chips to
// insert, and the token count with its limit.
(function (studio) {
  "use strict";
  const { el } = studio;
  const MOST = 6; // unknown words with their nearest ones in full
  let styles = []; // and saved prompts: {name, text}
  studio.on("styles", (cards) => {
    const written = cards.filter(({ prompt }) => prompt);
    styles = written.map(({ title, prompt }) => ({ name: title, text: prompt }));
  });

  /** What the base knows; nothing where it says nothing. */
  const vocabularyOf = (card) => card.stack.models.entryOf(card.stack.models.base)?.vocabulary;

  studio.promptWords = function (card, area) {
    const marks = el("div", {
      class: "gs-marks",
      dir: "auto",
      translate: "no",
      "aria-hidden": "true",
    });
    const unknown = el("div", { class: "gs-unknown", role: "status" });
    const chips = el("div", { class: "gs-word-chips", hidden: true });
    const opener = el(
      "button",
      {
        type: "button",
        class: "gs-link",
        "aria-expanded": "false",
        title: "Words that this base knows, to insert",
        onclick: () => {
          chips.hidden = !chips.hidden;
          opener.setAttribute("aria-expanded", String(!chips.hidden));
          if (!chips.hidden) fillChips();
        },
      },
      "Known words",
    );
    const count = el("span", { class: "gs-tokens" });
    const length = el("p", { class: "gs-length", role: "status", hidden: true });
    const element = el("div", { class: "gs-words" }, length, unknown, chips);
    const status = el("span", { class: "gs-words-status" }, opener, count);
    const longest = studio.longest("Row", "prompt");
    let shown = []; // what the words in sight are of

    function replace(word, phrase) {
      const { text, caret } = studio.withPhrase(card.row.prompt, word, phrase);
      card.edit({ prompt: text });
      area.focus();
      area.setSelectionRange(caret, caret);
    }

    function insert(phrase) {
      const text = card.row.prompt.trim();
      card.edit({ prompt: text ? `${text} ${phrase}` : phrase });
      area.focus();
    }

    function fillChips() {
      const vocabulary = vocabularyOf(card);
      if (!vocabulary) return;
      chips.replaceChildren(
        ...vocabulary.groups.map(({ title, phrases }) =>
          el(
            "details",
            { class: "gs-word-group" },
            el("summary", { translate: "no" }, `${title} (${phrases.length})`),
            el(
              "div",
              {},
              ...phrases.map((phrase) =>
                el(
                  "button",
                  {
                    type: "button",
                    class: "gs-chip",
                    translate: "no",
                    onclick: () => insert(phrase),
                  },
                  phrase,
                ),
              ),
            ),
          ),
        ),
      );
    }

    /** Underline unknown words, and shade what is beyond the first window. */
    function mark(prompt, found, over) {
      const edges = new Set([0, prompt.length]);
      for (const { start, end } of [...found, ...over]) edges.add(start).add(end);
      const places = [...edges].sort((a, b) => a - b);
      const within = (spans, place) =>
        spans.some(({ start, end }) => place >= start && place < end);
      const pieces = places.slice(0, -1).map((start, i) => {
        const text = prompt.slice(start, places[i + 1]);
        const marked = within(found, start) ? el("u", {}, text) : text;
        return within(over, start) ? el("mark", {}, marked) : marked;
      });
      marks.replaceChildren(...pieces, "\u200b"); // a last empty line has its height too
    }

    /** One line where a prompt names more things than the base draws at once. */
    function crowd(prompt, vocabulary) {
      const [one, other] = studio.crowded(prompt, vocabulary, card.ownWords()) || [];
      if (!one) return "";
      return el(
        "p",
        {},
        `“${one}” and “${other}”: this base draws one thing, or two that “left of”, “above” or “wearing” joins. Give each a row of its own to mix them.`,
      );
    }

    function suggest(prompt, found, vocabulary) {
      const seen = new Set();
      const fresh = found.filter(({ word }) => !seen.has(word) && seen.add(word));
      const more = fresh.length - MOST;
      unknown.replaceChildren(
        ...fresh.slice(0, MOST).map((one) => {
          const near = studio.nearest(one.word, vocabulary);
          return el(
            "p",
            {},
            el("b", { translate: "no" }, `“${one.word}”`),
            near.length ? " is not known here; nearest:" : " is not known here.",
            ...near.map((phrase) =>
              el(
                "button",
                {
                  type: "button",
                  class: "gs-chip",
                  "aria-label": `Write ${phrase} for ${one.word}`,
                  onclick: () => replace(one, phrase),
                },
                el("span", { translate: "no" }, phrase),
              ),
            ),
          );
        }),
        crowd(prompt, vocabulary),
        more > 0
          ? el("p", {}, `${more} more underlined ${more > 1 ? "words are" : "word is"} not known.`)
          : "",
      );
    }

    /** How many tokens, of how many; what is beyond them is returned to be marked. */
    function showCount(prompt, vocabulary) {
      const limit = card.stack.models.tokenLimit();
      const { longest, total, parts, over } = studio.tokenCount(prompt, limit);
      const about = vocabulary ? "" : "about ";
      const where = parts > 1 ? ` in the longest of ${parts} parts` : "";
      count.title = where && `${longest}${where}; ${total} in all`;
      count.textContent = total
        ? `${about}${longest}${limit ? ` of ${limit}` : ""} tokens${where}`
        : "";
      status.toggleAttribute("data-long", parts > 1);
      count.classList.toggle("gs-over", over.length > 0);
      const windows = Math.ceil(longest / limit) - 1;
      length.hidden = !over.length;
      if (over.length)
        length.textContent = card.stack.models.windows()
          ? `More than ${limit} tokens: the shaded words are read in ${windows > 1 ? `${windows} further windows` : "a second window"}.`
          : `More than ${limit} tokens, all that this base reads: take the shaded words away.`;
      return over;
    }

    /** What no prompt may have the length of, such as a file that was pasted, is not looked at word by
     *  word: a page with a mark for each of so many stands still. */
    function readNothing() {
      for (const node of [marks, unknown, count]) node.replaceChildren();
      count.title = "";
      count.classList.remove("gs-over");
      status.removeAttribute("data-long");
      length.hidden = true;
    }

    return {
      marks,
      element,
      status,
      phrases() {
        const vocabulary = vocabularyOf(card);
        const known = vocabulary ? studio.knownPhrases(vocabulary) : [];
        return [
          ...new Set([...card.ownWords(), ...known, ...card.stack.models.triggers(), ...styles]),
        ];
      },
      scroll() {
        marks.scrollTop = area.scrollTop;
      },
      read(prompt) {
        const vocabulary = vocabularyOf(card);
        const more = card.ownWords();
        const asked = [
          prompt,
          vocabulary,
          more.join(),
          card.stack.models.tokenLimit(),
          card.stack.models.windows(),
        ];
        if (asked.every((one, index) => one === shown[index])) return;
        shown = asked;
        if (prompt.length > longest) return readNothing();
        const found = vocabulary ? studio.unknownWords(prompt, vocabulary, more) : [];
        mark(prompt, found, showCount(prompt, vocabulary));
        suggest(prompt, found, vocabulary);
        opener.hidden = !vocabulary;
        if (!vocabulary) chips.hidden = true;
      },
    };
  };
})(window.studio);
