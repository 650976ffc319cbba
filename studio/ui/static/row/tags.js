// Completion by tags of a person's own lists, which the server looks through. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const LEAST = 2; // letters
  const REST = 30000; // ms in which a list that was not there is not asked for again
  const BEGUN = /((?:\\[()]|[^,\n(){}|<>:[\]\\]){2,60})$/;

  /** What of a tag stands before the caret: {start, typed}; null where nothing begins there. */
  studio.tagBegun = function (text, caret) {
    if (/^[\p{L}\p{N}]/u.test(text.slice(caret))) return null; // inside a word
    const found = text.slice(0, caret).match(BEGUN);
    const typed = found?.[1].trimStart();
    if (!typed || typed.trim().length < LEAST) return null;
    return { start: caret - typed.length, typed };
  };

  /** The lists: {complete(text, caret), again()}; complete answers {start, options} or null, and after
   *  again it asks also where there was no list.
   *  @param ask answers {tags, none, problem}; @param tell is given each problem once */
  studio.tagsOf = function (ask, tell, clock = Date.now) {
    const told = new Set();
    let none = -Infinity;
    return {
      again: () => (none = -Infinity),
      async complete(text, caret) {
        const begun = studio.tagBegun(text, caret);
        if (!begun || clock() - none < REST) return null;
        const answer = await ask({ typed: begun.typed }).catch(() => ({}));
        if (answer.none) none = clock();
        if (answer.problem && !told.has(answer.problem)) tell(answer.problem);
        told.add(answer.problem);
        const options = (answer.tags || [])
          .filter(([tag]) => tag !== begun.typed)
          .map(([tag, alias]) => (alias ? { name: alias, text: tag } : tag));
        return options.length ? { start: begun.start, options } : null;
      },
    };
  };
})(window.studio);
