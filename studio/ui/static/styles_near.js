// The styles, which stand below the presets, one press from the rows.
(function (studio) {
  "use strict";

  const LOOKS = 30; // for a tab that is laid out only now

  /** The keyboard goes into their search, where nobody has gone elsewhere meanwhile. */
  function enter(from, left = LOOKS) {
    if (left === LOOKS) studio.showTab("presets");
    const search = document.querySelector("#gs-styles .gs-shelf-search");
    if (!search?.offsetParent) return left && setTimeout(enter, 100, from, left - 1);
    search.scrollIntoView({ block: "center" });
    if ([from, document.body].includes(document.activeElement))
      search.focus({ preventScroll: true });
    return null;
  }

  let known = [];
  studio.on("styles", (cards) => (known = cards.map(({ title }) => title.toLowerCase())));

  function refuse({ name }) {
    if (!name) return "A style needs a name";
    return known.includes(name.toLowerCase()) ? `There is a style ${name} already` : "";
  }

  /** Ask what the form's prompts are called as a style; "" where that was left, or there is nothing to keep.
   *  @param name the preset's
   *  @param withRows whether its other rows are kept too */
  studio.askStyleName = async function (name, withRows) {
    const rows = studio.stack.cards.map(({ row }) => row).filter(({ enabled }) => enabled);
    if (!rows.some(({ prompt }) => withRows || prompt.trim())) {
      studio.toast("There is nothing to keep as a style: no row that takes part has a text.");
      return "";
    }
    const label = "Name of the style";
    const given = await studio.askTexts({
      title: "Keep these prompts as a style",
      fields: [{ name: "name", label, value: name, longest: 200, proposed: true }],
      act: "Keep it",
      leaving: "Leave it as it was, without what you wrote?",
      refuse,
    });
    return given?.name ?? "";
  };

  /** A word that leads to the styles, in sight while there are some. */
  studio.stylesNear = function () {
    const given = { class: "gs-link", hidden: true, title: "Lay a style over these rows" };
    const word = studio.word("Styles", () => enter(word), given);
    studio.on("styles", (cards) => (word.hidden = !cards.length));
    return word;
  };
})(window.studio);
