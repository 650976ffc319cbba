// One picture of the history: large, with everything that is known of it and everything to do with it.
(function (studio) {
  "use strict";
  const { el, button, word, address } = studio;

  // In the page's words and numbers; all else is the picture's own.
  const SAID = new Set(["Took", "Now", "Problem", "CFG scale", "ω", "Start picture's strength"]);
  /** A model with the beginning of its hash, as other tools write it. */
  const named = (id, hash) => (hash ? `${id} (${hash.slice(0, 10)})` : id);
  const facts = (record) =>
    [
      ["Prompts", record.prompts],
      ["Weights", record.weights],
      ["CFG scale", record.cfg],
      ["Clip skip", record.clip_skip],
      ["Autoencoder (VAE)", record.vae],
      ["ω", record.omega],
      ["Seed", record.seed],
      ["Variation", record.variation],
      ["Size", record.width ? `${record.width} × ${record.height}` : ""],
      ["Control images", record.controls],
      ["Start picture's strength", record.start],
      ["Loops", record.rounds],
      ["Refiner", record.refiner],
      ["Second pass", record.second_pass],
      ["Detail pass", record.detail],
      ["Steps", record.steps || ""],
      ["Scheduler", record.scheduler],
      ["Models", record.models.map((id) => named(id, record.hashes[id])).join(", ")],
      ...(record.replaced ?? []).map((line) => ["Now", line]),
      [
        "Took",
        record.seconds
          ? `${record.forwards} ${record.forwards === 1 ? "pass" : "passes"}, ${record.seconds.toFixed(1)} s`
          : "",
      ],
      [
        "Scores",
        Object.entries(record.scores)
          .map(([k, v]) => `${k} ${studio.sayDecimals(v, 3)}`)
          .join(", "),
      ],
      ["Made", studio.sayMoment(record.made)],
      ["File", record.path],
      ["Problem", record.problem],
    ].filter(([, value]) => value !== "" && value !== null && value !== undefined);

  /** A picture as large as it is, or why it is not shown. */
  studio.wholePicture = function (record, kind) {
    if (!record.image) return el("p", { class: "gs-empty" }, "The picture's file is not there.");
    return studio.orElse(
      el("img", {
        class: kind,
        src: address(record.image),
        alt: record.title,
        "data-own": "alt",
        draggable: kind ? null : "false",
      }),
      el("p", { class: "gs-empty" }, "The picture's file cannot be shown."),
    );
  };

  /** A field that is kept when one leaves it, unless ``wrong`` says what is wrong with its text:
   *  {element, read()}. ``said``: what its text says of the picture. */
  function written({ label, value, wrong, said, keep, many = false }) {
    const input = el(many ? "textarea" : "input", {
      class: "gs-history-text",
      "aria-label": label,
      value,
      rows: many ? 2 : null,
      oninput: () => problem.show(wrong(input.value)),
      onchange: () => {
        if (wrong(input.value)) return;
        kept = input.value;
        keep(said(kept));
      },
    });
    let kept = input.value; // as the field has it: with line ends of its own
    const problem = studio.problemOf(input);
    const element = el(
      "label",
      { class: "gs-history-field" },
      el("span", {}, label),
      input,
      problem.element,
    );
    return { element, read: () => ({ value: input.value, kept, wrong, said }) };
  }

  /** Tags as they are typed, divided by commas: those of an Arabic keyboard too. */
  studio.tagsIn = (text) => text.split(/[,،]/);

  /** One line on tags, divided by commas, that are too many or too long; "" where they fit. */
  studio.checkTags = function (text, { tag, tags }) {
    const names = new Set(studio.tagsIn(text).map((name) => name.trim()));
    names.delete("");
    if (names.size > tags) return `${names.size} tags: at most ${tags}`;
    const long = [...names].find((name) => [...name].length > tag);
    return long ? `“${long.slice(0, 20)}…”: ${studio.checkLength(long, tag)}` : "";
  };

  /**
   * The dialog of a picture.
   * @param ask sends a request to the server
   * @param again uses the picture in the form: again(id, part)
   * @param step shows the one before (−1) or after (1)
   * @param back puts the keyboard onto the picture in the list
   * @param bounds of what is said of a picture: {note, board, tag, tags}
   * @param owner whether the person sits at the machine that the page runs on
   */
  studio.historyDetails = function (record, { ask, again, step, back, parent, owner, bounds }) {
    const get = () => studio.fileAt(address(record.image), `${record.title || "picture"}.png`);
    const say = (said) => ask({ do: "mark", ids: [record.id], said });
    /** Whether nothing would be lost that is written and cannot be kept, or may be. */
    function mayLeave() {
      const asked = "Leave it as it was, without what cannot be kept?";
      const wrong = dialog.querySelector('[aria-invalid="true"]');
      if (!wrong || window.confirm(studio.say(asked))) return true;
      wrong.focus();
      return false;
    }
    const close = () => mayLeave() && dialog.close();
    const go = (by) => mayLeave() && step(by);
    const use = (part, label) =>
      word(label, () => {
        again(record.id, part);
        close();
      });
    const star = studio.starButton(record, (starred) => say({ starred }));
    const texts = [
      written({
        label: "Note",
        value: record.note,
        wrong: (note) => studio.checkLength(note, bounds.note),
        said: (note) => ({ note }),
        keep: say,
        many: true,
      }),
      written({
        label: "Tags, divided by commas",
        value: record.tags.join(", "),
        wrong: (text) => studio.checkTags(text, bounds),
        said: (text) => ({ tags: studio.tagsIn(text) }),
        keep: say,
      }),
      written({
        label: "Board",
        value: record.board,
        wrong: (board) => studio.checkLength(board.trim(), bounds.board),
        said: (board) => ({ board: board.trim() }),
        keep: say,
      }),
    ];
    const leave = () =>
      studio.leaveUnkept(record.id, studio.unkeptOf(texts.map((one) => one.read())));
    window.addEventListener("pagehide", leave);
    const dialog = el(
      "dialog",
      {
        class: "gs-painter gs-history-dialog",
        "aria-label": record.title,
        "data-own": "aria-label",
        onclose: () => {
          window.removeEventListener("pagehide", leave);
          dialog.remove();
          if (document.activeElement === document.body) back(); // its own place was drawn anew
        },
        onclick: (event) => event.target === dialog && close(),
        onkeydown: (event) => {
          if (event.key === "Escape") {
            event.preventDefault(); // a second Esc on end could not be refused as "cancel"
            close();
            return;
          }
          if (event.target.matches("input, textarea")) return;
          const key = studio.along(event.key);
          if (key === "ArrowLeft") go(-1);
          else if (key === "ArrowRight") go(1);
          else if (event.key === "s") star.click();
        },
      },
      el(
        "div",
        { class: "gs-line" },
        el("strong", { translate: "no" }, record.title),
        star,
        record.image ? studio.saveLink(record.image) : null,
        button("up", "The one before", () => go(-1)),
        button("down", "The one after", () => go(1)),
        button("close", "Close", close),
      ),
      el(
        "div",
        { class: "gs-history-two" },
        studio.enlarges(studio.wholePicture(record, "gs-history-large")),
        el(
          "div",
          { class: "gs-history-facts" },
          el(
            "dl",
            {},
            ...facts(record).flatMap(([name, value]) => [
              el("dt", {}, name),
              el("dd", { dir: "auto", translate: SAID.has(name) ? null : "no" }, String(value)),
            ]),
          ),
          ...texts.map(({ element }) => element),
          el(
            "div",
            { class: "gs-line gs-answers" },
            use("all", "Use again"),
            use("prompts", "Its prompts"),
            use("rows", "Its rows"),
            use("seed", "Its seed"),
            record.parent
              ? word("Changed from …", () => {
                  close();
                  ask({ do: "open", id: parent || record.parent });
                })
              : null,
          ),
          el(
            "div",
            { class: "gs-line gs-answers" },
            record.image
              ? word("Use the picture …", () => {
                  close();
                  studio.askUse("What is this picture for?", address(record.image), get);
                })
              : null,
            record.problem
              ? null
              : word("Copy for A1111", () => ask({ do: "a1111", id: record.id })),
            record.image
              ? word("Download as JPEG", () => ask({ do: "jpeg", ids: [record.id] }))
              : null,
            record.image
              ? word(
                  "JPEG without settings",
                  () => ask({ do: "jpeg", ids: [record.id], settings: false }),
                  { title: "The picture alone: no preset, no prompt, not in its name either" },
                )
              : null,
            owner ? word("Open folder", () => ask({ do: "folder", id: record.id })) : null,
            word(record.deleted ? "Bring back" : "Delete", () => {
              ask({ do: record.deleted ? "restore" : "delete", ids: [record.id] });
              close();
            }),
          ),
        ),
      ),
    );
    studio.askBeforeReload(dialog, () => dialog.querySelector('[aria-invalid="true"]')); // cannot be kept
    return dialog;
  };
})(window.studio);
