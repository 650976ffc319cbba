// A wildcard's choices in a dialog, and what the lines of a text file are for.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  // As studio/preset/variants.py finds them: the case of both is tests/ui/static/wildcards.json.
  const WILD = /(?<!\\)__([\p{L}\p{N}_/*.-]{1,200}?)__/gu;
  const MOST_IN_TURN = 20000; // characters, as studio/ui/sweep/asked.py reads them of one axis
  const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*(?:\/[\p{L}\p{N}_][\p{L}\p{N}_.-]*){0,4}$/u;

  /** The wildcards that a prompt names, each once; of a pattern with stars none. */
  studio.wildcardsIn = (text) => [
    ...new Set(
      [...text.matchAll(WILD)]
        .map(([, name]) => name)
        .filter((name) => NAME.test(name) && !/[_.]$/.test(name)),
    ),
  ];

  /** The name of a wildcard that a file of choices would be; "" for one that makes none. */
  studio.wildcardName = (file) =>
    file
      .replace(/\.[^.]*$/, "")
      .replaceAll(/[^\p{L}\p{N}_.-]+|_{2,}/gu, "-")
      .replaceAll(/^[_.-]+|[_.-]+$/g, "");

  /** Write the choices of a wildcard; `text` in place of those that it has. */
  studio.editWildcard = async function (name, text = null) {
    const { server, wildcards, cards } = studio.stack;
    const known = await server.wildcard_text({ name }).catch((error) => ({ error: `${error}` }));
    if (known.error) return studio.toast(known.error);
    const title = `Choices of __${name}__, one a line`;
    const area = el("textarea", {
      ...{ class: "gs-text gs-wildcard-text", rows: 12, dir: "auto", spellcheck: "false" },
      "aria-label": title,
    });
    area.value = text ?? known.text;
    const replaces = text !== null && known.text && known.text !== text;
    const note = replaces ? "What it holds by now is replaced." : "";
    const problem = studio.problemOf(area);
    const untouched = area.value;
    async function save() {
      const answer = await server
        .wildcard_keep({ name, text: area.value, before: known.text })
        .catch((error) => ({ error: `${error}` }));
      problem.show(answer.error || "");
      if (answer.error) return;
      area.value = untouched; // nothing is lost any more
      dialog.close();
      studio.toast(
        `__${name}__ has ${answer.count === 1 ? "1 choice" : `${answer.count} choices`}.`,
      );
      await wildcards.look(true);
      cards[0]?.edit({}); // the plan may have missed it
    }
    const asked = "Leave the choices as they were, without what you wrote?";
    const holds = () => area.value !== untouched;
    const mayLeave = () => !holds() || window.confirm(studio.say(asked));
    const leave = () => mayLeave() && dialog.close();
    const dialog = el(
      "dialog",
      {
        class: "gs-painter gs-wildcard",
        "aria-label": title,
        onclose: () => dialog.remove(),
        oncancel: (event) => mayLeave() || event.preventDefault(),
        onkeydown: (event) => {
          if (event.key !== "Escape" || event.isComposing) return;
          event.preventDefault(); // a second Esc on end could not be refused as "cancel"
          leave();
        },
      },
      el("strong", {}, title),
      note ? el("p", { class: "gs-work-note" }, note) : null,
      area,
      problem.element,
      el(
        "div",
        { class: "gs-line gs-answers" },
        word("Cancel", leave),
        word("Keep the choices", save, { class: "gs-word gs-main-word" }),
      ),
    );
    studio.askBeforeReload(dialog, holds);
    document.body.append(dialog);
    dialog.showModal();
    area.focus();
    return dialog;
  };

  // A brace with two texts, or a number of them, in it.
  const CHOICE = /(?<!\\)\{[^{}]*(?:\||\$\$)/;

  /** Whether a text is chosen anew for each picture, as far as that is seen in it. */
  studio.hasChoices = (text) => CHOICE.test(text) || studio.wildcardsIn(text).length > 0;

  /** Sweep a row's prompt over all that it can become. */
  async function everyChoice(card) {
    const at = studio.stack.cards.indexOf(card);
    const { prompt } = card.row;
    const answer = await studio.stack.images.choicesOf(prompt);
    // The rows may have come anew from the server meanwhile, and stand there as others.
    if (answer.error) studio.toast(answer.error);
    else if (studio.stack.cards[at]?.row.prompt === prompt)
      inTurn(`rows.${at}.prompt`, JSON.stringify(answer.texts));
  }

  /** What the choices of a prompt are good for; null where it has none: its wildcards, each to be opened
   *  where one may write them, and every choice in turn. */
  studio.choicesHint = function (card, text) {
    if (!studio.hasChoices(text)) return null;
    const names = studio.stack?.server.wildcard_keep ? studio.wildcardsIn(text) : [];
    const all = word("Every choice in turn", () => everyChoice(card), {
      title: "A sweep over all that this prompt can become; its cost stands there before it starts",
    });
    const open = (name) =>
      word(`__${name}__`, () => studio.editWildcard(name), {
        ...{ translate: "no", title: "Write its choices", "aria-label": `Choices of __${name}__` },
      });
    return el("p", {}, ...(names.length ? ["Wildcards: ", ...names.map(open)] : []), all);
  };

  const withoutComments = (lines) => lines.filter((line) => !line.trim().startsWith("#"));

  /** What a text file says: {text, foreign}, as lists of tags are read: UTF-8, UTF-16 where its mark says
   *  so, and else Windows-1252, where no letter but the plain ones can be read as UTF-8. */
  async function readText(file) {
    const text = await file.text();
    if (!text.includes("\ufffd")) return { text, foreign: false };
    const bytes = new Uint8Array(await file.arrayBuffer());
    const mark = `${bytes[0]} ${bytes[1]}`;
    const wide = { "255 254": "utf-16le", "254 255": "utf-16be" }[mark];
    if (wide) return { text: new TextDecoder(wide).decode(bytes), foreign: false };
    const foreign = /^[\x00-\x7f\ufffd]*$/.test(text);
    return { text: foreign ? new TextDecoder("windows-1252").decode(bytes) : text, foreign };
  }

  /** Whether a file is a text of lines that is nothing else: no preset, no settings, no table. */
  studio.linesIn = async function (file) {
    if (!/\.txt$/i.test(file.name) || file.size > 4 * 2 ** 20) return null;
    const { text, foreign } = await readText(file);
    if (text.includes("\0")) return null; // no text
    const lines = text.split(/\r?\n/).filter((line) => line.trim());
    if (!withoutComments(lines).length || studio.broughtBy(text)) return null;
    if (foreign) studio.toast(`${file.name} is no UTF-8 text; it is read as Windows-1252`);
    return lines;
  };

  /** Vary a prompt over these texts, in place of what stands in their way. More of them than a sweep
   *  reads are not laid out first: the page would stand still over tens of thousands of lines. */
  function inTurn(field, values) {
    const wrong = studio.checkLength(values, MOST_IN_TURN);
    if (wrong) return studio.toast(wrong);
    const before = studio.axes.list();
    if (!studio.axes.has(field) && !studio.axes.full()) return studio.vary(field, values);
    const others = studio.axes.has(field) ? before.filter((axis) => axis.field !== field) : [];
    studio.axes.replace([{ field, values }, ...others]);
    studio.axesUndoable("Other fields are varied now.", before);
    return studio.showTab("sweep");
  }

  /** Ask what the lines of a file are for: prompts in turn, or the choices of a wildcard. */
  studio.askLines = function (file, lines) {
    const { cards, server } = studio.stack;
    const texts = withoutComments(lines);
    const text = (card) => card.row.prompt.trim() || card.title(card.parts().model || "");
    const inRows = cards.map((card, at) => ({
      label: `Prompts in turn, in row ${at + 1}: ${text(card) || "∅"}`,
      take: () => inTurn(`rows.${at}.prompt`, studio.listOfLines(texts.join("\n"))),
    }));
    // As AUTOMATIC1111's "Prompts from file": what stands behind -- is no part of a prompt.
    const own = {
      label: "One picture for each line, with the line's own settings",
      take: () => studio.submitWork({ do: "lines", lines: texts }),
    };
    const choices = texts.some((line) => line.trim().startsWith("--")) ? [own] : inRows;
    const name = studio.wildcardName(file.name);
    if (server.wildcard_keep && name)
      choices.unshift({
        label: `Choices of the wildcard __${name}__ …`,
        take: () => studio.editWildcard(name, `${lines.join("\n")}\n`),
      });
    if (!choices.length) return studio.askFile(file);
    const count = texts.length === 1 ? "1 line" : `${texts.length} lines`;
    const first = el(
      "p",
      { class: "gs-work-note", dir: "auto", translate: "no" },
      texts[0].slice(0, 200),
    );
    return studio.askChoice(`What is ${file.name} for? ${count}`, first, choices);
  };
})(window.studio);
