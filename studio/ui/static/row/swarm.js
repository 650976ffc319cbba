// SwarmUI's tags in a prompt, as far as this page's own marks say the same. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const TAG =
    /<(random|wildcard|wc|alternate|alt|fromto|repeat|comment|break|embed|embedding)(?:\[([^[\]<>]{0,200})\])?(?::([^<>]{0,4000}))?>/gi;
  const COUNT = /^(\d{1,2}(?:-\d{1,2})?)(,?)$/;
  const MOST_REPEATED = 50;
  const NESTED = 10; // tags within each other

  /** The texts that a tag divides as SwarmUI does: at ||, else at |, else at commas. */
  function parted(inside) {
    const sign = ["||", "|", ","].find((one) => inside.includes(one)) || ",";
    return inside.split(sign).map((part) => part.trim());
  }

  /** `{a|b}`; with `given` (2, 1-3, and a comma behind it) so many of them, joined. */
  function chosen(parts, given) {
    if (parts.length < 2 || parts.some((part) => /^\d+-\d+$|\|/.test(part))) return null;
    if (!given) return `{${parts.join("|")}}`;
    const [, count, comma] = given.match(COUNT) || [];
    return count ? `{${count}$$${comma ? ", " : " "}$$${parts.join("|")}}` : null;
  }

  /** What a tag is here; null where nothing here says it. */
  function written(kind, given, inside) {
    const parts = parted(inside);
    const plain = !given && inside;
    const says = {
      random: () => chosen(parts, given),
      wildcard: () =>
        plain && studio.wildcardsIn(`__${inside}__`).length ? `__${inside}__` : null,
      alternate: () => (plain && parts.length > 1 ? `[${parts.join("|")}]` : null),
      fromto: () =>
        parts.length === 2 && given.trim() && Number(given) >= 0
          ? `[${parts[0]}:${parts[1]}:${given.trim()}]`
          : null,
      repeat: () =>
        /^\d{1,2}$/.test(given) && given <= MOST_REPEATED
          ? Array(Number(given)).fill(inside).join(" ")
          : null,
      comment: () => "",
      break: () => " BREAK ",
      embed: () => (plain ? `embedding:${inside}` : null),
    };
    const called = { wc: "wildcard", alt: "alternate", embedding: "embed" };
    return says[called[kind] || kind]();
  }

  /** A prompt whose tags of SwarmUI are written as this page reads them; the rest stays as it is. */
  studio.withoutTags = function (text) {
    let said = text;
    for (let turn = 0; turn < NESTED; turn += 1)
      said = said.replace(
        TAG,
        (tag, kind, given = "", inside = "") => written(kind.toLowerCase(), given, inside) ?? tag,
      );
    return said === text ? text : said.replace(/ {2,}/g, " ").trim();
  };
})(window.studio);
