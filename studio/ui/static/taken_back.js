// Presets and styles that were deleted or replaced can be brought back for a while.
(function (studio) {
  "use strict";

  /** Offers what was deleted or replaced back, once. */
  studio.bringingBack = function (of, trigger) {
    const known = new Set(); // the list may come again as it was
    return (back) => {
      if (!back || known.has(back.token)) return;
      known.add(back.token);
      studio.undoable(studio.say(back.said), async () => {
        const answer = await studio.stack.server
          .bring_back({ of, ...back })
          .catch((error) => ({ error: `${error}` }));
        if (answer.error) studio.toast(studio.say(answer.error));
        trigger("submit", {}); // the list anew
      });
    };
  };
})(window.studio);
