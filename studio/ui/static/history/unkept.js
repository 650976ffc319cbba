// What is half typed of a picture when the page is left: the next page of this tab keeps it. A text is
// kept when one leaves its field, and a reload leaves none.
(function (studio) {
  "use strict";
  const PLACE = "guidance-studio-unkept";

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

  /** What the page before has left, once: {id, said}, or null. */
  studio.takeUnkept = function () {
    const text = studio.noted(PLACE);
    studio.noted(PLACE, "");
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  };
})(window.studio);
