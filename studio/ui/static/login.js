// A log-in that has ended, or that a server which was started anew does not know: said where one presses.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const line = el(
    "p",
    { class: "gs-error gs-logged-out", role: "alert" },
    "Your log-in has ended, so that nothing is answered. What you wrote is kept.",
    " ",
    word("Log in again", () => location.reload()),
  );

  /** Say so, until the page is loaded again. */
  studio.loggedOut = function () {
    if (!line.isConnected) document.getElementById("gs-progress")?.before(line);
  };
})(window.studio);
