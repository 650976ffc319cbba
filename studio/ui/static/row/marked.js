// What prompts write between marks, completed while one types: __wildcards__, and models that other
// tools call by a tag, <lora:…> or embedding:…. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const FRESH = 1500; // ms in which the names of wildcards are not asked for again
  const NAME = "[\\p{L}\\p{N}_/.*-]";
  const WHOLE = new RegExp(`(?<!\\\\)__${NAME}{1,200}?__`, "gu");
  const BEGUN = {
    wildcard: new RegExp(`(?<!\\\\)__(${NAME}*)$`, "u"),
    adapter: /<(?:lora|lyco):([^<>:]*)$/i,
    embedding: /\bembedding:([\w./-]*)$/i,
  };
  const CLOSED = { wildcard: /^__/, adapter: /^(?::[^<>]{0,100})?>/ };

  /** The names of wildcards, which somebody may add to while the page is open. `ask` answers {names}. */
  studio.wildcardsOf = function (ask, clock = Date.now) {
    let names = [];
    let asked = -Infinity;
    return {
      names: () => names,
      /** Ask for them again, at once where one was written; whether others have come. */
      async look(now = false) {
        if (!now && clock() - asked < FRESH) return false;
        asked = clock();
        const before = names.join();
        names = (await ask().catch(() => ({}))).names || names;
        return names.join() !== before;
      },
    };
  };

  /** Those of which a name begins so, then those that hold it; `names(one)` are all it goes by. */
  function beginning(typed, all, names, most) {
    const plain = typed.trim().toLowerCase();
    const place = (one) => {
      const known = names(one).map((name) => name.toLowerCase());
      if (known.some((name) => name.startsWith(plain))) return 0;
      return known.some((name) => name.includes(plain)) ? 1 : 2;
    };
    const found = all.map((one) => ({ one, at: place(one) })).filter(({ at }) => at < 2);
    return found
      .sort((a, b) => a.at - b.at)
      .slice(0, most)
      .map(({ one }) => one);
  }

  /**
   * What the marked word before the caret may become: {start, end, options} or null. An option is the
   * text of a wildcard, or {name, entry, strength} of a model.
   * @param wildcards their names
   * @param models asked for those of some kinds that a row can have and has not: {id, kind, title}
   */
  studio.markedCompletions = function (text, caret, { wildcards, models }, most = 8) {
    const before = text.slice(0, caret).replace(WHOLE, (one) => " ".repeat(one.length));
    const [kind, found] =
      Object.entries(BEGUN)
        .map(([name, pattern]) => [name, before.match(pattern)])
        .find(([, match]) => match) || [];
    if (!found) return null;
    const after = text.slice(caret);
    if (/^[\p{L}\p{N}]/u.test(after)) return null; // inside a word
    const end = caret + (after.match(CLOSED[kind] || /^/)?.[0].length || 0);
    const rest = text.slice(caret, end);
    const kinds = kind === "embedding" ? [kind] : studio.served.adapters;
    const called = ({ id, title }) => [id, id.split("/").at(-1), title || ""];
    const options =
      kind === "wildcard"
        ? beginning(found[1], wildcards, (name) => [name], most).map((name) => `__${name}__`)
        : beginning(found[1], models(kinds), called, most).map((entry) => ({
            name: entry.title || entry.id,
            entry,
            strength: studio.strengthOf(rest, entry),
          }));
    return options.length ? { start: found.index, end, options } : null;
  };
})(window.studio);
