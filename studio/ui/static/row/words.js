// Words under a prompt: unknown ones underlined with the nearest known ones to click, chips to
// insert, and the token count with its limit.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** What the base knows; nothing where it says nothing. */
  const vocabularyOf = (card) => card.stack.entryOf(card.stack.base)?.vocabulary;

  studio.promptWords = function (card, area) {
    const marks = el("div", { class: "gs-marks", "aria-hidden": "true" });
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
    const element = el("div", { class: "gs-words" }, unknown, chips);
    const status = el("span", { class: "gs-words-status" }, opener, count);

    function replace({ start, end }, phrase) {
      const text = card.row.prompt;
      card.edit({ prompt: text.slice(0, start) + phrase + text.slice(end) });
      area.focus();
      area.setSelectionRange(start + phrase.length, start + phrase.length);
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
            el("summary", {}, `${title} (${phrases.length})`),
            el(
              "div",
              {},
              ...phrases.map((phrase) =>
                el(
                  "button",
                  { type: "button", class: "gs-chip", onclick: () => insert(phrase) },
                  phrase,
                ),
              ),
            ),
          ),
        ),
      );
    }

    function mark(prompt, found) {
      const pieces = [];
      let place = 0;
      for (const { start, end, word } of found) {
        pieces.push(prompt.slice(place, start), el("u", {}, word));
        place = end;
      }
      marks.replaceChildren(...pieces, prompt.slice(place));
    }

    function suggest(found, vocabulary) {
      const seen = new Set();
      const fresh = found.filter(({ word }) => !seen.has(word) && seen.add(word)).slice(0, 6);
      unknown.replaceChildren(
        ...fresh.map((one) => {
          const near = studio.nearest(one.word, vocabulary);
          return el(
            "p",
            {},
            el("b", {}, `“${one.word}”`),
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
                phrase,
              ),
            ),
          );
        }),
      );
    }

    function showCount(prompt, vocabulary) {
      const limit = card.stack.tokenLimit();
      const tokens = prompt.trim() ? studio.tokenCount(prompt) : 0;
      const over = limit && tokens > limit;
      count.textContent = tokens
        ? `${vocabulary ? "" : "about "}${tokens}${limit ? ` of ${limit}` : ""} tokens${over ? ": what is over goes into further windows" : ""}`
        : "";
      count.classList.toggle("gs-over", Boolean(over));
    }

    return {
      marks,
      element,
      status,
      scroll() {
        marks.scrollTop = area.scrollTop;
        marks.style.height = area.style.height;
      },
      read(prompt) {
        const vocabulary = vocabularyOf(card);
        const more = card.ownWords();
        const found = vocabulary ? studio.unknownWords(prompt, vocabulary, more) : [];
        mark(found.length ? prompt : "", found);
        suggest(found, vocabulary);
        opener.hidden = !vocabulary;
        if (!vocabulary) chips.hidden = true;
        showCount(prompt, vocabulary);
      },
    };
  };
})(window.studio);
