// The pictures that a search compares with: what is known of the model, or files of one's own.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const UNKEPT =
    "This browser does not keep the pictures that were chosen: when the page is loaded anew, choose them again.";
  const FILE = { _type: "gradio.FileData" };

  /** Which pictures they are, and what is said of them. No DOM in here. */
  studio.comparedPictures = function () {
    let model = "";
    let known = null; // {count, whose}, once the server has said so
    let files = [];
    const chosen = new Map(); // of each model: they show its subject, and no other's
    function said() {
      if (files.length) return `${files.length} of your pictures`;
      if (!known) return "";
      const { count, whose } = known;
      if (!count) return `Needs pictures of what ${model} was trained on.`;
      if (whose === "examples") return `Compared with ${count} of the studio's example pictures.`;
      return count === 1
        ? `Compared with the one picture that ${model} was trained on.`
        : `Compared with ${count} pictures that ${model} was trained on.`;
    }
    return {
      said,
      model: () => model,
      files: () => files,
      /** Whether it is to be asked what is known of the model. */
      unknown: () => !known,
      /** Whether one of these is still to be chosen. */
      wanted: () => !files.length && known?.count === 0,
      /** Whether there is a way back from files of one's own. */
      returns: () => files.length > 0 && known?.count > 0,
      /** Go on about a model, with the files that were chosen for it; whether it is another one. */
      about(next) {
        if (next === model) return false;
        chosen.set(model, files);
        [model, known, files] = [next, null, chosen.get(next) ?? []];
        return true;
      },
      /** What the server knows of a model; of one that is not asked about any more it is no news. */
      learn(of, found) {
        if (of === model) known = found;
      },
      choose: (chosen) => (files = chosen),
      /** What was chosen before the page was loaded anew, but where others are chosen by now. */
      found(kept) {
        for (const [of, before] of kept)
          if (of !== model) chosen.get(of)?.length || chosen.set(of, before);
          else if (!files.length) files = before;
      },
    };
  };

  /**
   * Their line in the panel: {element, about, read, write}.
   * @param changed called when others were chosen
   */
  studio.subjectPictures = function ({ server, changed }) {
    const { el } = studio;
    const compared = studio.comparedPictures();
    let asking = ""; // the model that the server is asked about now
    const said = el("span", { class: "gs-subject-said" });
    const button = studio.word;
    function choose(files) {
      compared.choose(files);
      draw();
      changed();
      studio.keepFiles(compared.model(), files).catch(() => files.length && studio.toast(UNKEPT));
    }
    const input = el("input", {
      type: "file",
      multiple: true,
      accept: studio.acceptsPictures(),
      class: "gs-file",
      tabindex: "-1",
      "aria-label": "Pictures of the subject",
      onchange: () => {
        const files = [...input.files];
        input.value = "";
        if (files.length) choose(files);
      },
    });
    const chooser = button("Choose pictures", () => input.click());
    const back = button("Use the known pictures", () => {
      choose([]);
      chooser.focus(); // the button that was pressed is hidden now
    });
    function draw() {
      said.textContent = compared.said();
      chooser.classList.toggle("gs-wanted", compared.wanted());
      back.hidden = !compared.returns();
    }
    draw();
    studio
      .keptFiles()
      .then((kept) => {
        compared.found(kept);
        draw();
        if (compared.files().length) changed();
      })
      .catch(() => {}); // nothing was kept, which was said
    return {
      element: el("div", { class: "gs-line" }, said, chooser, back, input),
      about(model) {
        const other = compared.about(model);
        if (other) draw();
        return other;
      },
      /** Ask what is known of the model, where that is not known yet; or ``anew``. */
      async read(anew) {
        const model = compared.model();
        if (!anew && (asking === model || !compared.unknown())) return;
        asking = model;
        try {
          const known = await server.known_subject(model);
          if (!known.error) compared.learn(model, known);
        } finally {
          if (asking === model) asking = ""; // an answer that did not come is asked for again
        }
        draw();
      },
      files: () => compared.files(),
      async write(upload) {
        const sent = await Promise.all(compared.files().map((file) => upload(file)));
        return sent.map(({ path }) => ({ path, meta: FILE }));
      },
    };
  };
})(window.studio);
