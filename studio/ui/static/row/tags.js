// Completion by tags of a person's own lists, which the server looks through. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const LEAST = 2; // letters
  const REST = 30000; // ms in which a list that was not there is not asked for again
  const PAUSE = 120; // ms without a key, before the server is asked
  const BEGUN = /((?:\\[^\n,]|[^,\n(){}|<>[\]\\]){2,60})$/;
  const CLOSES = { ")": "(", "]": "[", "}": "{", ">": "<" };
  // What a tag stands behind in a text without a comma.
  const BEFORE = /^.*(?:\b(?:AND|BREAK)\s+|::|\$\$)/s;
  const WEIGHT = /:\s*[\d.]*$/;

  /** The bracket that a text's end is in; "" for none. */
  function bracketAt(text) {
    let open = "";
    for (const [letter] of text.replace(/\\./gs, "").matchAll(/[()[\]{}<>]/g))
      if (!CLOSES[letter]) open += letter;
      else if (open.endsWith(CLOSES[letter])) open = open.slice(0, -1);
    return open.slice(-1);
  }

  /** What of a tag stands before the caret: {start, typed}; null where nothing begins there. */
  studio.tagBegun = function (text, caret) {
    if (/^[\p{L}\p{N}]/u.test(text.slice(caret))) return null; // inside a word
    const before = text.slice(0, caret);
    let typed = before.match(BEGUN)?.[1].replace(BEFORE, "");
    if (!typed) return null;
    const bracket = bracketAt(before);
    // A colon is a tag's own, but where it divides texts, or a weight follows it.
    if (bracket === "(" && WEIGHT.test(typed)) return null;
    if (bracket === "[" || bracket === "<") typed = typed.split(":").at(-1);
    typed = typed.trimStart();
    if (typed.trim().length < LEAST) return null;
    return { start: caret - typed.length, typed };
  };

  const later = (ms) => new Promise((done) => setTimeout(done, ms));

  /** The lists: {complete(text, caret), again()}; complete answers {start, options, begun} or null,
   *  begun where no tag is called just so, and after
   *  again it asks also where there was no list. It waits for a pause and for the answer before; of
   *  what is typed meanwhile the last alone is asked for.
   *  @param ask answers {tags, none, problem: one a line}; @param tell is given each problem once */
  studio.tagsOf = function (ask, tell, clock = Date.now, pause = later) {
    const told = new Set([""]);
    let none = -Infinity;
    let [asked, running] = [0, null];
    return {
      again: () => (none = -Infinity),
      async complete(text, caret) {
        const mine = (asked += 1);
        const begun = studio.tagBegun(text, caret);
        const needless = () => mine !== asked || clock() - none < REST;
        if (!begun || needless()) return null;
        await pause(PAUSE);
        if (!needless()) await running;
        if (needless()) return null;
        running = ask({ typed: begun.typed }).catch(() => ({}));
        const answer = await running;
        if (answer.none) none = clock();
        for (const problem of (answer.problem || "").split("\n")) {
          if (!told.has(problem)) tell(problem);
          told.add(problem);
        }
        const options = (answer.tags || [])
          .filter(([tag]) => tag !== begun.typed)
          .map(([tag, alias]) => (alias ? { name: alias, text: tag } : tag));
        const whole = (answer.tags || []).some(([tag]) => tag === begun.typed.trim());
        return options.length ? { start: begun.start, options, begun: !whole } : null;
      },
    };
  };
})(window.studio);
