// What is half typed of a picture, or asked and not answered yet, when the page is left: the next page of
// this tab keeps it. A text is kept when one leaves its field, and a reload leaves none.
(function (studio) {
  "use strict";
  const PLACE = "guidance-studio-unkept";
  const ASKED = "guidance-studio-unanswered";
  const CHANGES = ["mark", "delete", "restore"]; // asked twice, they do the same as once

  /** What of the fields of a picture differs from what is kept, and can be: {note, tags, board}. */
  studio.unkeptOf = (fields) =>
    Object.fromEntries(
      fields
        .filter(({ value, kept, wrong }) => value !== kept && !wrong(value))
        .map(({ value, said }) => Object.entries(said(value))[0]),
    );

  /** Remember it for the next page; where there is nothing, nothing of before either. */
  studio.leaveUnkept = function (id, said) {
    studio.noted(PLACE, Object.keys(said).length ? JSON.stringify({ id, said }) : "");
  };

  function taken(place) {
    const text = studio.noted(place);
    studio.noted(place, "");
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }
  /** What the page before has left, once: {id, said}, or null. */
  studio.takeUnkept = () => taken(PLACE);

  /** Remember the changes among some requests that the server has not answered; none where it was said
   *  already that they are lost. */
  studio.leaveUnanswered = function (requests) {
    const changes = studio.saidLost()
      ? []
      : requests.filter(({ do: what }) => CHANGES.includes(what));
    studio.noted(ASKED, changes.length ? JSON.stringify(changes) : "");
  };

  /** Ask for what the page before has left; what `unanswered()` has when this one is left goes on, too. */
  studio.keepsAsking = function (ask, unanswered) {
    for (const { about: _, ...request } of taken(ASKED) ?? []) ask(request);
    const unkept = studio.takeUnkept();
    if (unkept) ask({ do: "mark", ids: [unkept.id], said: unkept.said });
    window.addEventListener("pagehide", () => studio.leaveUnanswered(unanswered()));
    // A page that the browser had only put aside still asks by itself.
    window.addEventListener("pageshow", ({ persisted }) => persisted && taken(ASKED));
  };
})(window.studio);
