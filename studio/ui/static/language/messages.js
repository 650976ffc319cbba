// From an English text to another language's, by a table of messages. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const MOST_KNOWN = 5000; // answers that are kept: a run says a new line at every step
  const PLACE = /\{(\w+)\}/g;
  const COUNTED = /\{(\w)\}(\** )([\p{L}\p{M}]+)/gu; // a number, and the word that it counts
  const NUMBER = "[+−-]?\\d[\\d.,:/–]*";
  // Numbers as prose holds them, with a unit or from one to another; no list, no curve, no version.
  const NUMBERS = /^[+−-]?\d+(\.\d+)?(–[+−-]?\d+(\.\d+)?)?[.,]?( ?(%|\p{L}{1,3}))?$/u;
  const DECIMALS = /(\d)\.(\d)/g;
  // What joins texts that are messages each: a dot between facts, the end of a sentence, a colon.
  const JOINTS = [/( · )/, /((?<=[.!?…]) )/, /(: )/];
  // A field of a row, or one behind which a value stands in quotes or with its name in brackets; all
  // else may be a name that has a colon.
  const FIELD = /^(row \d[^:]*: |[^:]+: ('|[^:()]+ \([\w+.-]+\)))/;
  const LETTERS = /\p{L}/u;

  const spaced = (text) => text.replace(/\s+/g, " ").trim();
  const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  /** A message with places as {shape, names, got, fixed}: ``got`` are the names of places that hold what
   *  was given, ``fixed`` counts the letters that stand. */
  function patternOf(message) {
    const names = [];
    const parts = message.split(PLACE);
    const shape = parts.map((part, index) => {
      if (index % 2 === 0) return literal(part);
      names.push(part);
      if (part.length === 1) return `(${NUMBER})`;
      return part.startsWith("one_") ? "((?:(?! · )[^])+?)" : "([^]+?)";
    });
    const fixed = parts.filter((_, index) => index % 2 === 0).join("").length;
    const got = names.filter((_, index) => parts[2 * index].endsWith("got "));
    return { shape: new RegExp(`^${shape.join("")}$`, "u"), names, got, fixed, message };
  }

  /**
   * A translator: a function from an English text to the other language's, or null where the table
   * does not hold it. Spaces around a text stay.
   * @param messages from English to the other language, with {places}
   * @param untold called with each part that stays English in a text of which others do not
   * @param sign what stands before a number with a sign: from right to left it would end with it
   * @param point what stands before a number's decimals
   * @param counted the form of a word behind a number: counted(word, number)
   */
  studio.translator = function (
    messages,
    untold,
    sign = "",
    point = ".",
    counted = (word) => word,
  ) {
    const plain = new Map(Object.entries(messages));
    const patterns = Object.keys(messages)
      .filter((message) => message.search(PLACE) >= 0)
      .map(patternOf)
      .sort((one, two) => two.fixed - one.fixed);
    const answers = new Map();
    const signed = (text) => {
      const number = NUMBERS.test(text) ? text.replace(DECIMALS, `$1${point}$2`) : text;
      return /^[+−-]\d/.test(number) ? sign + number : number;
    };

    function fitted(text) {
      for (const { shape, names, got, message } of patterns) {
        const found = shape.exec(text);
        if (!found) continue;
        if (shape.source.startsWith("^(")) {
          if (found[1].includes(" · ")) continue; // several texts, each with a message of its own
          const parted = FIELD.test(found[1]) ? split(text) : null;
          if (parted !== null) return parted;
        }
        const given = Object.fromEntries(names.map((name, index) => [name, found[index + 1]]));
        const agreed = plain
          .get(message)
          .replace(COUNTED, (_, name, gap, word) => `{${name}}${gap}${counted(word, given[name])}`);
        return agreed.replace(PLACE, (_, name) => {
          const value = given[name];
          if (name.length === 1 || got.includes(name)) return signed(value);
          if (name.startsWith("word_")) return plain.get(value) ?? signed(value);
          if (name === "the_fields") return whole(value) ?? listed(value);
          return name.startsWith("the_") ? (whole(value) ?? signed(value)) : value;
        });
      }
      return null;
    }

    /** A list in place of a message: of fields, each of which is one, also before a quoted value. */
    const listed = (text) =>
      text
        .split(/, (?![^“]*”)/)
        .map((part) => {
          const [, name, value] = part.match(/^(.+?)( “.*”)$/) ?? [null, part, ""];
          return (plain.get(name) ?? signed(name)) + value;
        })
        .join(", ");

    const direct = (text) => plain.get(text) ?? fitted(text) ?? ended(text);

    /** A message without a full stop, where the text ends with one: a note stands as a sentence. */
    function ended(text) {
      if (!/[^.]\.$/.test(text)) return null;
      const said = direct(text.slice(0, -1));
      return said === null ? null : `${said}.`;
    }

    /** What stands before the first colon and what stands behind it, where both are messages, as with
     *  the field of a refusal: a message that begins with a place would take the field for its value. */
    function split(text) {
      const colon = text.indexOf(": ");
      if (colon <= 0 || text.includes(" · ")) return null; // several, each with a field of its own
      const [head, rest] = [direct(text.slice(0, colon)), direct(text.slice(colon + 2))];
      return head !== null && rest !== null ? `${head}: ${rest}` : null;
    }

    /** The most pieces from the first one on that are a message together: {said, count}, or null. */
    function longest(pieces) {
      for (let count = pieces.length; count > 0; count -= 2) {
        const said = direct(pieces.slice(0, count).join(""));
        if (said !== null) return { said, count };
      }
      return null;
    }

    function joined(text) {
      for (const joint of JOINTS) {
        let pieces = text.split(joint); // texts, and between them what joins them
        if (pieces.length < 2) continue;
        let [known, result] = [0, ""];
        while (pieces.length) {
          const found = longest(pieces);
          const said = found?.said ?? whole(pieces[0]);
          const count = found?.count ?? 1;
          if (said !== null) known += 1;
          else if (LETTERS.test(pieces[0])) untold?.(pieces[0]);
          result += (said ?? signed(pieces[0])) + (pieces[count] ?? "");
          pieces = pieces.slice(count + 1);
        }
        if (known) return result;
      }
      return null;
    }

    function whole(text) {
      if (answers.has(text)) return answers.get(text);
      const said = LETTERS.test(text) ? (direct(text) ?? split(text) ?? joined(text)) : null;
      if (answers.size > MOST_KNOWN) answers.clear();
      answers.set(text, said);
      return said;
    }

    return function (text) {
      const bare = spaced(text);
      const said = whole(bare);
      if (said === null) return null;
      return text.match(/^\s*/)[0] + said + text.match(/\s*$/)[0];
    };
  };

  /** A function that answers the form of a word behind a number, in a language.
   *  @param forms by the word, then by the plural category of the number */
  studio.counter = function (tag, forms) {
    const rules = new Intl.PluralRules(tag);
    return (word, number) =>
      (/^\d+$/.test(number) && forms[word]?.[rules.select(Number(number))]) || word;
  };

  /** Pieces of a text with marks: {kind: "", "strong", "em" or "code", text} each. */
  studio.markedPieces = (text) =>
    text
      .split(/(\*\*[^*]+\*\*|\*(?! )[^*]+(?<! )\*|`[^`]+`)/)
      .filter(Boolean)
      .map((piece) => {
        if (piece.length > 4 && piece.startsWith("**"))
          return { kind: "strong", text: piece.slice(2, -2) };
        if (piece.length > 2 && piece.startsWith("*"))
          return { kind: "em", text: piece.slice(1, -1) };
        if (piece.length > 2 && piece.startsWith("`"))
          return { kind: "code", text: piece.slice(1, -1) };
        return { kind: "", text: piece };
      });

  /** The text of pieces, with its marks. */
  studio.markedText = (pieces) => {
    const marks = { strong: "**", em: "*", code: "`" };
    return pieces
      .map(({ kind, text }) => (marks[kind] ?? "") + text + (marks[kind] ?? ""))
      .join("");
  };

  /**
   * A moment in a page's language; in its kind of that language where the browser has one (de-AT),
   * and in the digits that all else on the page has.
   * @param seconds since 1970
   */
  studio.momentIn = function (seconds, tag, wanted) {
    const own = wanted.find((one) => one.split("-")[0] === tag) || tag;
    return new Date(seconds * 1000).toLocaleString(own, { numberingSystem: "latn" });
  };

  /** What stands before the decimals in a language. */
  studio.pointOf = (tag) =>
    new Intl.NumberFormat(tag, { numberingSystem: "latn" })
      .formatToParts(0.5)
      .find(({ type }) => type === "decimal").value;

  /** A text in a language where it is nothing but a number with decimals; else as it is. */
  studio.sayNumeral = (text, tag) =>
    text.replace(/^([−-]?\d+)\.(\d+)$/, (_, whole, part) => whole + studio.pointOf(tag) + part);

  /** The first of what a person wants that there is: in this browser, by the setting, by the system. */
  studio.languageOf = function ({ own, setting, wanted, offered }) {
    const there = (tag) =>
      [tag, String(tag).split("-")[0]].find((one) => offered.includes(one)) || null;
    const said = [own, setting].find((tag) => offered.includes(tag));
    if (said) return said;
    return wanted.map(there).find(Boolean) || "en";
  };
})(window.studio);
