// A row's prompt: text, split at AND, its tokens, words that the base does not know.
(function (studio) {
  "use strict";
  const { el, button, icon } = studio;
  const EVERY = "Use it in every row";
  const BASE = "Use it in the base term too";
  const ELSEWHERE =
    "Other tools give it to every prompt, the negative one too, and to the base term (ω = 1).";
  const NEGATIVE = /^\s*(\S[^]*?),?\s+negative prompt\s*:\s*(\S[^]*?)\s*$/i;
  const STEP = 0.1; // of a weight, with Ctrl and an arrow key

  // There Alt and an arrow go from word to word.
  const WORDWISE = /^(Mac|iP)/.test(navigator.platform);

  /** What a key makes of the text: {text, start, end}; nothing for any other key. */
  function pressed(area, event) {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const here = [area.value, area.selectionStart, area.selectionEnd];
    const by = { ArrowUp: STEP, ArrowDown: -STEP }[key];
    if (by && (ctrlKey || metaKey) && !altKey) return studio.weigh(...here, by);
    const way = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!way || !altKey || ctrlKey || metaKey || shiftKey || WORDWISE) return null;
    const against = getComputedStyle(area).direction === "rtl";
    return studio.movePart(...here, against ? -way : way);
  }

  studio.rowEditors.prompt = function (card) {
    const area = el("textarea", {
      class: "gs-prompt",
      rows: 1,
      dir: "auto",
      "aria-label": "Prompt of this row",
      spellcheck: "false",
      oninput: () => {
        typing.typed();
        card.edit(editor.write());
        complete.typed();
        if (area.value.includes("__")) lookAgain();
      },
      onfocus() {
        wildcards.look();
        card.stack.tags.again();
      },
      onblur: () => typing.left(),
      onscroll: () => words.scroll(),
      onkeydown: (event) => {
        const found = pressed(area, event);
        if (!found) return;
        event.preventDefault();
        if (found.text !== area.value) card.edit({ prompt: found.text });
        area.setSelectionRange(found.start, found.end);
      },
    });
    const split = button(
      "split",
      "Split into parts at AND",
      () => card.edit({ prompt: studio.proposeSplit(card.row.prompt) }),
      { class: "gs-tool gs-split" },
    );
    const vary = studio.varyRow(card, "prompt", { kind: "text" }, () => card.row.prompt);
    const words = studio.promptWords(card, area);
    const { models, wildcards } = card.stack;
    /** A wildcard may have been written a moment ago. */
    async function lookAgain() {
      if ((await wildcards.look()) && document.activeElement === area) complete.typed();
    }
    function write(prompt, caret, more = {}) {
      card.edit({ prompt, ...more });
      area.setSelectionRange(caret, caret);
    }
    const complete = studio.completer(area, {
      phrases: () => words.phrases(),
      marked: () => ({
        wildcards: wildcards.names(),
        models(kinds) {
          const has = card.has();
          const free = ({ kind, id }) => kinds.includes(kind) && !has.includes(id);
          return models.all.filter((one) => free(one) && models.fits(one));
        },
      }),
      later: (text, caret) => card.stack.tags.complete(text, caret),
      take: write,
      call({ entry, strength }, start, end) {
        const word = entry.kind === "embedding" ? entry.trigger || entry.id.split("/").at(-1) : "";
        const text = area.value;
        const prompt = word
          ? text.slice(0, start) + word + text.slice(end)
          : studio.withoutPart(text, start, end);
        const model = studio.modelOf(studio.withCalled(card.parts(), { entry, strength }));
        write(prompt, Math.min(start + word.length, prompt.length), { model });
        tellTaken({ entry, strength });
      },
    });
    /** What a press is called that does as other tools do with a LoRA; "" where that is done. */
    function elsewhere(entry) {
      const { rows, base } = studio.lackingElsewhere(card, entry);
      return rows.length ? EVERY : base ? BASE : "";
    }
    function tellTaken(one) {
      const text = `${one.entry.title || one.entry.id} is in this row now.`;
      const label = elsewhere(one.entry);
      if (!label) return studio.toast(text);
      return studio.offer(`${text} ${ELSEWHERE}`, label, () => studio.giveElsewhere(card, one));
    }
    const field = el("div", { class: "gs-field" }, words.marks, area, split, complete.element);
    const line = el("div", { class: "gs-line gs-prompt-line" }, field, vary.element);
    const note = el("div", { class: "gs-note" });
    const hints = el("div", { class: "gs-prompt-hints", role: "status" });
    const problem = studio.problemOf(area);
    const longest = studio.longest("Row", "prompt");

    function showSplit(prompt) {
      const joined = /\sAND\s/.test(prompt);
      const label = joined
        ? "Join the parts again"
        : "Split into parts at AND, so that decoupling can weigh them";
      split.hidden = studio.proposeSplit(prompt) === prompt.trim();
      split.title = label;
      split.setAttribute("aria-label", label);
      split.replaceChildren(icon(joined ? "merge" : "split"));
    }

    /** A model that the text calls by its name, as other tools do, and that the row has not. */
    function calledHint(one) {
      const { said, entry } = one;
      if (!entry) return el("p", {}, `“${said}” names no LoRA that is here for this base.`);
      const use = () =>
        card.edit({
          prompt: one.prompt,
          model: studio.modelOf(studio.withCalled(card.parts(), one)),
        });
      const label = elsewhere(entry);
      function useInAll() {
        use();
        studio.giveElsewhere(card, one);
      }
      const take = [studio.word("Use it in this row", use)];
      if (label) take.push(studio.word(label, useInAll, { title: ELSEWHERE }));
      const name = entry.title || entry.id;
      return el("p", {}, `“${said}” names ${name}, which this row does not have. `, ...take);
    }

    /** What of SwarmUI's tags this page's own marks say as well. */
    function tagsHint(text) {
      const prompt = studio.withoutTags(text);
      if (prompt === text) return null;
      const label = "Write the tags as they are read here";
      return el(
        "p",
        {},
        studio.word(label, () => card.edit({ prompt }), { title: prompt }),
      );
    }

    /** What stands behind "Negative prompt:", as sites write it below a prompt, for a row of its own. */
    function negativeHint(text) {
      const [, prompt, negative] = text.match(NEGATIVE) ?? [];
      if (!negative || card.row.weight <= 0) return null;
      const { stack } = card;
      function part() {
        const there = stack.cards.find(({ row }) => row.enabled && row.weight < 0);
        const room = studio.firstNegative(stack.cards.map(({ row }) => row));
        if (there) {
          const both = [there.row.prompt.trim(), negative].filter(Boolean);
          there.edit({ prompt: both.join(", ") });
        } else if (!room) {
          studio.toast("A negative prompt needs a row whose weight is above 1");
          return;
        } else if (!stack.addNegative(card, { prompt: negative, weight: room.weight })) return;
        card.edit({ prompt });
      }
      return el("p", {}, studio.word("Make it the negative prompt", part, { title: negative }));
    }

    let foreign = []; // what is said of other tools' syntax
    let said = []; // the lines of it
    const typing = studio.typingOf(() => showForeign(card.row.prompt));
    const showHints = (prompt) => hints.replaceChildren(...hintsOf(prompt));

    function foreignLines(text) {
      foreign = studio.foreignHints(text, typing.now() ? foreign : null);
      said = foreign.map((hint) => el("p", {}, hint));
      return said;
    }
    /** What waited for the end of typing. The rest stays: a press may have begun on it, which would be
     *  lost with what it was put down on. */
    function showForeign(text) {
      const brought = studio.broughtBy(text);
      if (brought?.json) return; // of which nothing else is said
      for (const line of said) line.remove();
      if (brought) hints.append(...foreignLines(text));
      else hints.prepend(...foreignLines(text));
    }

    /** What was copied whole is read as it is where it comes from, by a press. */
    function hintsOf(text) {
      const brought = studio.broughtBy(text);
      const lines = foreignLines(text);
      const wild = studio.choicesHint(card, text);
      if (!brought)
        return [
          ...lines,
          negativeHint(text),
          tagsHint(text),
          ...card.calls(text).map(calledHint),
          wild,
        ].filter(Boolean);
      const read = studio.word("Read it into the form", () => studio.openText(text));
      const offer = el("p", {}, brought.said, read);
      return brought.json ? [offer] : [offer, ...lines];
    }

    const editor = {
      element: el("div", { class: "gs-prompt-part" }, line, note),
      below: el("div", { class: "gs-prompt-below" }, problem.element, hints, words.element),
      area,
      vary,
      status: words.status,
      read(row) {
        const mute = card.kind() === "concept";
        vary.show();
        line.hidden = editor.below.hidden = words.status.hidden = mute;
        note.hidden = !mute;
        note.textContent = row.prompt
          ? `Concept model: acts without a prompt. “${row.prompt}” waits until the row has another model.`
          : "Concept model: acts without a prompt";
        if (area.value !== row.prompt) area.value = row.prompt;
        const trigger = card.trigger();
        area.placeholder = trigger
          ? `prompt, for example "${trigger}"`
          : "prompt (empty: unconditional)";
        showSplit(row.prompt);
        showHints(row.prompt);
        problem.show(studio.checkLength(row.prompt, longest));
        words.read(row.prompt);
      },
      write: () => ({ prompt: area.value }),
    };
    return editor;
  };
})(window.studio);
