// What is done with the pictures that are chosen, or with all that are found.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const MANY = 200; // pictures that a press answers for at once

  /**
   * The bar of buttons.
   * @param tools ask; bounds of what is typed and chosen; query() and total() of what is found;
   *   chooseNone(); chooseAll(); offered(kind), names in use
   * @returns {bar, draw(ids, unseen)}: the ids chosen, and how many of them are not shown
   */
  studio.historyActions = function ({ ask, bounds, query, total, chooseNone, chooseAll, offered }) {
    const bar = el("div", { class: "gs-line gs-history-actions" });
    const all = () => ({ all: true, query: query() });
    /** Ask for something to be done to so many; what takes a while is said at once. */
    function askOf(count, request) {
      if (count > MANY) studio.toast(`${count} pictures: this takes a moment …`);
      ask(request);
    }

    /** Ask for one text, and say it of all that are chosen. */
    async function mark(ids, { name, label, value = "", offers, title, act, wrong, read }) {
      const given = await studio.askTexts({
        title,
        act,
        fields: [{ name, label, value, offers }],
        leaving: "Leave it as it was, without what you wrote?",
        refuse: (texts) => wrong(texts[name]),
      });
      if (given) ask({ do: "mark", several: true, ids, said: { [name]: read(given[name]) } });
    }
    const counted = (ids) => studio.picturesInWords(ids.length);
    /** The tags of a text; a minus alone names none. */
    const tagsIn = (text) =>
      studio
        .tagsIn(text)
        .map((name) => name.trim())
        .filter((name) => name.replace(/^[-\u2212]\s*/, ""));
    const tag = (ids) =>
      mark(ids, {
        name: "more_tags",
        label: "Tags to add, divided by commas (-tag: take it off)",
        offers: offered("tags"),
        title: `Tags for ${counted(ids)}`,
        act: "Add them",
        wrong: (text) =>
          tagsIn(text).length ? studio.checkTags(text, bounds) : "needs a tag, or -tag",
        read: tagsIn,
      });
    /** One that is looked at stands there already: all of it is renamed so. */
    const board = (ids) =>
      mark(ids, {
        name: "board",
        label: "Board, left empty: none",
        value: [undefined, studio.ON_NO_BOARD].includes(query().board) ? "" : query().board,
        offers: offered("boards"),
        title: `A board for ${counted(ids)}`,
        act: "Put on it",
        wrong: (text) => studio.checkLength(text, bounds.board),
        read: (text) => text,
      });
    function emptyBin() {
      const hides = Object.keys(query()).some((name) => !["bin", "sort"].includes(name));
      const asked = hides
        ? "Remove all that is in the bin for good but starred pictures, also what the search and the lists leave out?"
        : "Remove what is in the bin for good, but starred pictures?";
      if (window.confirm(studio.say(asked))) askOf(total(), { do: "empty" });
    }
    function deleteFound() {
      const counted = total();
      const asked =
        counted === 1
          ? "Put 1 picture into the bin, but a starred one?"
          : `Put ${counted} pictures into the bin, but starred ones?`;
      if (window.confirm(studio.say(asked))) askOf(counted, { do: "delete", ...all(), counted });
    }

    /** The pictures one after the other, as they were made. */
    async function animate(ids) {
      const how = await studio.askNumbers({
        title: "An animation",
        note: "The pictures one after the other, from the oldest on, again and again.",
        act: "Download",
        fields: [
          { name: "rate", label: "Pictures a second", value: 5, low: 0.1, high: 30, step: 0.5 },
          {
            name: "kind",
            label: "As",
            choices: [
              ["webp", "WebP"],
              ["gif", "GIF, 256 colours"],
            ],
          },
          { name: "back", label: "There and back", check: true },
        ],
      });
      if (how) ask({ do: "animation", ids, ...how });
    }

    const ofChosen = (ids, unseen) => [
      el("span", {}, `${ids.length} chosen`),
      unseen ? el("span", {}, `${unseen} of them not shown`) : "",
      query().starred // all that is found has one
        ? word("Take the star away", () => ask({ do: "mark", ids, said: { starred: false } }))
        : word("Star", () => ask({ do: "mark", ids, said: { starred: true } })),
      word("Tag …", () => tag(ids)),
      word("Board …", () => board(ids)),
      word("Compare", () => ask({ do: "compare", ids }), {
        disabled: ids.length < 2 || ids.length > 4,
        title: "Choose 2 to 4 pictures",
      }),
      query().bin
        ? ""
        : word("Make larger …", () => studio.largerEach({ ids }), {
            title: "Each with its own preset, one after another in the queue",
          }),
      word("Download ZIP", () => askOf(ids.length, { do: "zip", ids })),
      word("Download as JPEG", () => ask({ do: "jpeg", ids }), {
        disabled: ids.length > bounds.jpeg,
        title: `Much smaller files, presets included; at most ${bounds.jpeg}`,
      }),
      word("JPEG without settings", () => ask({ do: "jpeg", ids, settings: false }), {
        disabled: ids.length > bounds.jpeg,
        title: `The pictures alone: no preset, no prompt, not in their names either; at most ${bounds.jpeg}`,
      }),
      word("Download as one picture", () => ask({ do: "sheet", ids }), {
        disabled: ids.length < 2 || ids.length > bounds.sheet,
        title: `2 to ${bounds.sheet} pictures side by side`,
      }),
      word("Download as animation …", () => animate(ids), {
        disabled: ids.length < 2 || ids.length > bounds.animation,
        title: `2 to ${bounds.animation} pictures one after the other`,
      }),
      word(query().bin ? "Bring back" : "Delete", () => {
        askOf(ids.length, { do: query().bin ? "restore" : "delete", ids });
        chooseNone();
      }),
      word("Choose none", chooseNone),
    ];
    let whole = []; // the buttons of all that is found, which do nothing where nothing is
    function ofAll(label, act, title = "") {
      const node = word(label, () => total() && act());
      whole.push([node, title]);
      return node;
    }
    const ofBin = () => [
      ofAll("Choose all", chooseAll),
      ofAll("Bring all back", () => askOf(total(), { do: "restore", ...all() })),
      word("Empty the bin", emptyBin), // also of what the search leaves out
    ];
    const ofFound = () => [
      ofAll("Choose all", chooseAll, "One by one: Ctrl and a press; Shift: all in between"),
      ofAll("Download all found as ZIP", () => askOf(total(), { do: "zip", ...all() })),
      ofAll("Delete all found but starred", deleteFound),
    ];
    function settle() {
      for (const [node, title] of whole) {
        studio.stops(node, total() === 0 ? "No picture is found." : "");
        if (total() && title) node.title = title;
      }
    }
    let drawn = "";
    function draw(ids, unseen) {
      const { bin, starred } = query();
      const now = studio.asText([ids, unseen, bin, starred]);
      if (now !== drawn) {
        drawn = now; // else a dialog that closes gives the keyboard back to the button that opened it
        whole = [];
        const shown = bin ? ofBin : ofFound;
        bar.replaceChildren(...(ids.length ? ofChosen(ids, unseen) : shown()));
      }
      settle();
    }
    return { bar, draw };
  };
})(window.studio);
