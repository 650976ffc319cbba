// "Which ω for my LoRA?": unfolds a search, shows its front, and a click on a point loads its setting.
(function (studio) {
  "use strict";
  const { el, address } = studio;
  const TITLE = "Which ω for my LoRA?";
  const RUNNING = "guidance-studio-search";
  const LEFT = "guidance-studio-search-asked"; // what is asked of one

  /** The first row that takes part and has a LoRA or a fine-tune: {index, model}, or null. */
  function subject() {
    const cards = studio.stack?.cards || [];
    const index = cards.findIndex(
      (card) =>
        card.row.enabled &&
        card.row.weight !== 0 &&
        !card.stack.silenced(card.row) &&
        (card.kind() === "lora" || card.kind() === "finetune"),
    );
    if (index < 0) return null;
    const { lora, model } = cards[index].parts();
    return { index, model: lora || model };
  }

  /** Set the fields of a setting where they are on the page. */
  function load(values, row, model) {
    const now = subject();
    if (row !== null && (now?.index !== row || now?.model !== model)) {
      studio.toast(`The rows have changed since: row ${row + 1} is not ${model} any more.`);
      return;
    }
    for (const [path, value] of Object.entries(values)) {
      const found = path.match(/^rows\.(\d+)\.weight$/);
      if (found) studio.stack.cards[Number(found[1])].edit({ weight: value });
      else studio.setField(path, value);
    }
    studio.toast(`Loaded: ${studio.settingText(values)}`);
  }

  function cardsEditor(take) {
    const element = el("div", { class: "gs-front", role: "group", "aria-label": "The front" });
    return {
      element,
      read(value) {
        const best = value.points
          .map((point, index) => ({ point, index }))
          .filter(({ point }) => point.front !== null)
          .sort((a, b) => a.point.front - b.point.front);
        element.replaceChildren(
          ...best.map(({ point, index }) =>
            el(
              "button",
              {
                type: "button",
                class: "gs-front-card",
                "data-index": index,
                title: studio.describePoint(point, value),
                onclick: () => take(index),
              },
              point.image && el("img", { src: address(point.image), alt: "", loading: "lazy" }),
              el("span", {}, studio.settingText(point.values)),
            ),
          ),
        );
      },
      write: () => null,
    };
  }

  studio.mountTradeoff = function (element, props, server, upload, trigger, watch, bounds) {
    const { least, most, each } = bounds;
    const current = () => ({ points: [], ...(studio.clone(props.value) || {}) });
    // One that ran when the page was left; a server that was started anew knows nothing of it.
    const cut = studio.noted(RUNNING) === "running";
    const take = (index) => {
      const { points, row, model } = current();
      load(points[index].values, row ?? null, model);
    };
    let form = ""; // of the page, as it was told last
    let asked = ""; // the model that this page last asked a search for
    let outdated = false; // what the last refusal is about has changed since
    let gone = ""; // that refusal, which comes again with each word about a search of another tab
    let starting = false; // asked for, and not answered yet
    const left = JSON.parse(studio.noted(LEFT) || "{}"); // by this tab, before it was loaded anew
    let told = left.told || 0; // how many pictures the search that is shown was asked for
    let unsent = ""; // why pictures did not get to the server
    const pictures = studio.subjectPictures({ server, changed: () => outdate() });
    const plot = studio.tradeoffPlotEditor({ choose: take });
    const cards = cardsEditor(take);
    const budget = studio.numberEditor({
      field: { kind: "integer", low: least, high: most, title: "Pictures" },
      label: "Pictures to make",
      step: each,
      changed: () => [count(), keep()],
    });
    const makes = el("span", { class: "gs-field-help gs-tradeoff-makes" });
    const weight = el("input", {
      type: "checkbox",
      class: "gs-check",
      checked: Boolean(left.weight),
      onchange: () => [call(current()), keep()],
    });
    const keep = () =>
      studio.noted(
        LEFT,
        JSON.stringify({ told, pictures: budget.write(), weight: weight.checked }),
      );
    const about = el("p", { class: "gs-field-help gs-tradeoff-about", hidden: true });
    const status = el("p", { class: "gs-tradeoff-status", role: "status" });
    const refusal = el("p", { class: "gs-tradeoff-refused gs-error", role: "status" });
    const start = el(
      "button",
      { type: "button", class: "gs-word gs-search", onclick: () => submit() },
      "Search",
    );
    const stop = el(
      "button",
      { type: "button", class: "gs-word", hidden: true, onclick: () => trigger("stop", {}) },
      "Stop",
    );
    const body = el(
      "div",
      { class: "gs-tradeoff-body", hidden: true },
      el(
        "p",
        { class: "gs-field-help" },
        "Tries settings on the same seeds, scores each picture against the subject and the text, " +
          "and keeps what no other setting beats. Click a point to load its setting.",
      ),
      pictures.element,
      el(
        "div",
        { class: "gs-line" },
        el("label", {}, "Pictures ", budget.element),
        makes,
        el("label", {}, weight, " the row's weight too"),
        start,
        stop,
      ),
      refusal,
      about,
      status,
      plot.element,
      cards.element,
    );
    const opener = el(
      "button",
      {
        type: "button",
        class: "gs-word gs-which",
        "aria-expanded": "false",
        onclick: () => unfold(body.hidden),
      },
      TITLE,
    );
    const node = el("div", { class: "gs-tradeoff", hidden: true }, opener, body);
    element.replaceChildren(node);

    /** Say how many pictures it comes to: a setting is made whole or not at all. */
    function count() {
      const wrong = studio.isWrong(budget);
      const most = budget.write() - (budget.write() % each);
      makes.textContent = wrong ? "" : `At most ${most} pictures, ${each} for each setting`;
    }
    function ask(pictures) {
      budget.read(pictures);
      count();
    }
    function unfold(open) {
      body.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
      if (open) offer();
    }
    async function submit() {
      const box = budget.element.querySelector("[aria-invalid=true]");
      if (box) return box.focus(); // what is wrong stands under it
      start.disabled = starting = true;
      unsent = "";
      asked = subject()?.model || "";
      status.textContent = "Starting …";
      status.dataset.state = "idle";
      try {
        const given = await pictures.write(studio.sending(upload));
        if ((subject()?.model || "") !== asked) {
          starting = outdated = false;
          show(false);
          status.textContent = "The LoRA has changed meanwhile; search again.";
          return;
        }
        const more = { weight: weight.checked, pictures: given, key: key() };
        trigger("submit", { budget: budget.write(), ...more });
      } catch (error) {
        unsent = `The pictures could not be uploaded (${error.message || error})`;
        starting = outdated = false;
        show(false);
      }
    }
    /** Of the search that a press would begin. */
    const key = () =>
      studio.searchKey(form, {
        row: subject()?.index,
        weight: weight.checked,
        files: pictures.files(),
      });
    /** ``answered``: whether the server has said how the search stands. */
    function show(answered) {
      const value = current();
      const running = value.state === "running";
      const state = unsent ? "failed" : value.state;
      const past = outdated && state === "failed";
      if (past) status.textContent = "";
      else if (unsent) status.textContent = unsent;
      else if (value.state !== "idle" && value.text !== undefined)
        status.textContent = [value.text, value.note].filter(Boolean).join(" ");
      else if (cut && answered) {
        const stopped = "The studio was started anew, and the search has stopped.";
        status.textContent = [stopped, value.text].filter(Boolean).join(" ");
        unfold(true);
      } else status.textContent = value.text || "";
      if (answered) {
        if (value.asked && value.asked !== told) {
          ask((told = value.asked));
          weight.checked = value.weight;
          keep();
        }
        studio.noted(RUNNING, value.state);
        if (!value.refused || running) studio.atWork("Search for ω", value);
      }
      status.dataset.state = past ? "idle" : state;
      refusal.textContent = running && !outdated ? value.refused || "" : "";
      refusal.hidden = !refusal.textContent;
      start.disabled = running;
      call(value);
      stop.hidden = !running;
      plot.read(value);
      cards.read(value);
      if (running) unfold(true);
    }
    /** Say what was searched, which the form may show no more, and what a press of the button does. */
    function call(value) {
      const own = (tag, text) => el(tag, { dir: "auto", translate: "no" }, text);
      start.textContent = studio.searchWord(value, key());
      about.hidden = !value.model;
      if (value.model)
        about.replaceChildren(
          el("span", {}, `Searched for row ${value.row + 1}:`),
          " ",
          own("code", value.model),
          " ",
          own("q", value.prompt),
        );
    }
    /** What was refused says nothing of what is there now: another model, or other pictures. */
    function outdate() {
      const { state, refused } = current();
      call(current()); // with other pictures it is another search
      if (outdated || starting || !(unsent || refused || state === "failed")) return;
      outdated = true;
      gone = refused || "";
      show(false);
    }
    /** Only where ω means something: some row that takes part is personalised. */
    function offer(anew = false) {
      const found = subject();
      node.hidden = !found;
      if (!found) return;
      call(current());
      const { refused, model } = current();
      pictures.about(found.model);
      if ((refused || unsent ? asked : model) !== found.model) outdate();
      if (!body.hidden) pictures.read(anew);
    }
    watch("value", () => {
      const { refused } = current();
      outdated = outdated && !starting && Boolean(refused) && refused === gone;
      starting = false;
      unsent = "";
      show(true);
      offer();
    });
    studio.on("idle", () => offer());
    studio.on("form", (text) => {
      form = text;
      offer();
    });
    studio.on("models", () => setTimeout(() => offer(true), 0));
    studio.on("notes", ({ loaded }) => {
      if (loaded && current().refused) outdate(); // it was about the form that was there before
    });
    ask(left.pictures ?? 8 * each);
    show(false);
    offer();
  };
})(window.studio);
