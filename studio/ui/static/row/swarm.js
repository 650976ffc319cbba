// SwarmUI's tags in a prompt, as far as this page's own marks say the same. No DOM in here.
//
// They are read from the outside in: what a tag is parted at is looked for in its own text, and never
// in what a tag within it has become. One that cannot be said whole stays as it is, with all in it.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const HEAD = /^<([a-z]+)(?:\[([^[\]<>]{0,200})\])?(?::|>)/i;
  const COUNT = /^(\d{1,2})(?:-(\d{1,2}))?(,?)$/;
  const RANGE = /^[\d.]+\s*-\s*[\d.]+$/; // SwarmUI takes a number of it
  const WHEN = /^(?:\d{1,6}|0?\.\d{1,12}|1\.0*)$/; // a number of steps, or a part of them
  const EMBEDDING = /^[\w./-]{0,199}[\w-]$/; // as row/called.js reads it
  const CLOSES = { ")": "(", "]": "[", "}": "{", ">": "<" };
  const MOST_REPEATED = 50;
  const NESTED = 10; // tags within each other
  const LONGEST = 4000; // characters, of a prompt
  const NOTHING = /(?!)/;
  // What a tag that became a text may not have before it, and behind it.
  const BESIDES = {
    break: [/\S/, /^\S/],
    embed: [/[\p{L}\p{N}_./-]/u, /^[./]*[\p{L}\p{N}_<-]/u],
    wildcard: [/_/, NOTHING],
  };
  const STRAY = /^[^<]*>/; // a comment that its writer ended later than SwarmUI does
  const CALLED = { wc: "wildcard", alt: "alternate", embedding: "embed" };

  /** Where each bracket is closed: its place and that of the one that closes it. */
  function pairs(text, opening) {
    const [open, closed] = [[], new Map()];
    for (let at = 0; at < text.length; at += 1) {
      const letter = text[at];
      if (letter === opening) open.push(at);
      else if (CLOSES[letter] === opening && open.length) closed.set(open.pop(), at);
    }
    return closed;
  }

  /** The outermost tags of a text: {start, end, kind, given, inside}. */
  function tagsOf(text) {
    const closed = pairs(text, "<");
    const found = [];
    for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
      const end = (closed.get(at) ?? -1) + 1;
      const [head, kind, given] = (end && text.slice(at, at + 250).match(HEAD)) || [];
      if (head) {
        const inside = text.slice(at + head.length, end - 1);
        const name = kind.toLowerCase();
        found.push({ start: at, end, kind: CALLED[name] || name, given, inside });
      }
      at = head ? end : at + 1;
    }
    return found;
  }

  /** A text with a plain letter for each of its tags. */
  function bare(text) {
    let [said, place] = ["", 0];
    for (const { start, end } of tagsOf(text)) {
      said += `${text.slice(place, start)}x`;
      place = end;
    }
    return said + text.slice(place);
  }

  /** The brackets that are open at the end of a text, and whether one was closed that was not open. */
  function openIn(text) {
    let [open, crossed] = ["", false];
    for (const [letter] of text.replace(/\\./gs, "").matchAll(/[()[\]{}]/g))
      if (!CLOSES[letter]) open += letter;
      else if (open.endsWith(CLOSES[letter])) open = open.slice(0, -1);
      else crossed = true;
    return { open, crossed };
  }

  /** The texts that a tag divides as SwarmUI does: at ||, else at |, else at commas; brackets and tags
   *  in it are kept together. */
  function parted(inside) {
    let [tags, brackets] = [0, 0];
    const own = inside.split("").map((letter) => {
      if (letter === "<") tags += 1;
      if (!tags && "[{".includes(letter)) brackets += 1; // those in a tag are its own
      const here = !tags && !brackets;
      if (!tags && "]}".includes(letter)) brackets -= 1;
      if (letter === ">") tags -= 1;
      return here ? letter : "\0";
    });
    const plain = own.join("");
    const sign = ["||", "|", ","].find((one) => plain.includes(one)) || ",";
    let place = 0;
    return plain.split(sign).map((part) => {
      const start = place;
      place += part.length + sign.length;
      return inside.slice(start, start + part.length).trim();
    });
  }

  /** Whether a text without tags means in these brackets what it means alone. */
  function fits(text, within) {
    const { open, crossed } = openIn(text);
    if (open || crossed) return false;
    if (within.includes("{")) {
      let rest = text;
      for (const name of studio.wildcardsIn(text)) rest = rest.replaceAll(`__${name}__`, "x");
      for (let turn = 0; turn < NESTED; turn += 1) rest = rest.replace(/\{[^{}|]*\|[^{}]*\}/g, "x");
      if (/[{}|#$%]|::|\/\/|\/\*|__/.test(rest)) return false;
    }
    if (!within.includes("[")) return true;
    if (/[{}]|\\[[\]]/.test(text)) return false;
    let rest = text.replace(/\\./gs, "x");
    for (let turn = 0; turn < NESTED; turn += 1)
      rest = rest.replace(/\([^()]*\)|\[[^[\]]*\]/g, "x");
    return !/[:|]/.test(rest);
  }

  /** The parts of a tag as they are written between such brackets; null where one cannot be. */
  function partsIn(inside, within, depth) {
    const parts = parted(inside).map((part) => turned(part, within, depth));
    return parts.includes(null) ? null : parts;
  }

  /** `{a|b}`; with `given` (2, 1-3, and a comma behind it) so many of them, joined. */
  function chosen({ given, inside }, within, depth) {
    const own = parted(inside);
    const parts = partsIn(inside, `${within}{`, depth);
    if (!parts || parts.length < 2 || own.some((part) => RANGE.test(part))) return null;
    if (given === undefined) return /^[~!@]/.test(parts[0]) ? null : `{${parts.join("|")}}`;
    const [count, from, to, comma] = given.match(COUNT) || [];
    if (!count || Number(from) < 1 || Number(to ?? from) < from || (to ?? from) > parts.length)
      return null;
    const many = to === undefined ? from : `${from}-${to}`;
    return `{${many}$$${comma ? ", " : " "}$$${parts.join("|")}}`;
  }

  /** `[a|b]` or `[a:b:0.5]`. A bar within braces would divide these. */
  function changing({ kind, given, inside }, within, depth) {
    const parts = partsIn(inside, `${within}[`, depth);
    if (kind === "fromto")
      return parts?.length === 2 && WHEN.test(given?.trim() ?? "")
        ? `[${parts.join(":")}:${given.trim()}]`
        : null;
    if (given !== undefined || !(parts?.length > 1) || within.includes("{")) return null;
    return `[${parts.join("|")}]`;
  }

  /** The text as often as is given, in the brackets or before the first comma. */
  function repeated({ given, inside }, within, depth) {
    const [count, text] = given ? [given, inside] : inside.split(/,(.*)/s);
    const times = Number(/^\s*\d{1,2}\s*$/.test(count) ? count : 0);
    const one = text === undefined ? null : turned(text.trim(), within, depth);
    if (one === null || times < 1 || times > MOST_REPEATED) return null;
    return Array(times).fill(one).join(" ");
  }

  /** What a tag is here; null where nothing here says it. */
  function written(tag, within, depth) {
    const { kind, given, inside } = tag;
    const plain = given === undefined;
    const wildcard = () => plain && studio.wildcardsIn(`__${inside}__`)[0] === inside;
    const says = {
      random: () => chosen(tag, within, depth),
      wildcard: () => (wildcard() ? `__${inside}__` : null),
      alternate: () => changing(tag, within, depth),
      fromto: () => changing(tag, within, depth),
      repeat: () => repeated(tag, within, depth),
      comment: () => "",
      break: () => "BREAK",
      // In square brackets its colon would be a mark.
      embed: () =>
        plain && EMBEDDING.test(inside) && !within.includes("[") ? `embedding:${inside}` : null,
    };
    const text = Object.hasOwn(says, kind) && depth < NESTED ? says[kind]() : null;
    return text !== null && text.length > LONGEST ? null : text;
  }

  /** `said`, what a tag behind it has become, and what follows, each apart from the next where they would
   *  be read as one. */
  function besides(said, text, kind, rest) {
    const last = said.slice(-1);
    if (kind === "comment") {
      if (!rest.trim()) return [said.replace(/ +$/, ""), rest];
      return [said, /^\s?$/.test(last) ? rest.replace(/^ /, "") : rest];
    }
    const [before, after] = BESIDES[kind] || [NOTHING, NOTHING];
    return [`${said}${before.test(last) ? " " : ""}${text}`, after.test(rest) ? ` ${rest}` : rest];
  }

  /** A text with its tags as they are read here, between the brackets `within`; there null where one of
   *  them, or the rest, cannot be written so. */
  function turned(text, within, depth) {
    if (within && !fits(bare(text), within)) return null;
    let [said, rest] = ["", text];
    for (const tag of tagsOf(text)) {
      const gone = text.length - rest.length; // before `rest`, which may have a blank more or less
      const before = said + rest.slice(0, tag.start - gone);
      const after = text.slice(tag.end);
      // A sign that stands before it would be read with its bracket.
      const left = /[\\$%]/.test(before.slice(-1)) || (tag.kind === "comment" && STRAY.test(after));
      const here = within || openIn(bare(before)).open.replaceAll("(", "");
      const one = left ? null : written(tag, here, depth + 1);
      if (one === null && within) return null;
      [said, rest] =
        one === null
          ? [before + text.slice(tag.start, tag.end), after]
          : besides(before, one, tag.kind, after);
    }
    return said + rest;
  }

  /** A prompt whose tags of SwarmUI are written as this page reads them; the rest stays as it is. */
  studio.withoutTags = (text) =>
    text.includes("<") && text.length <= LONGEST ? turned(text, "", 0) : text;
})(window.studio);
