// The Models tab's list: its search, one kind of it, as a wall of cards; a LoRA for every row at once. The
// server draws the list anew, so that everything is found wherever it is then.
(function (studio) {
  "use strict";
  const KEY = "guidance-studio-model-cards";
  const state = { words: "", kind: "", cards: studio.remembered(KEY) === "on" };

  const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

  /** Whether a line says all words. */
  studio.saysAll = (text, words) =>
    wordsOf(words).every((word) => text.toLowerCase().includes(word));

  /** Show what the state says in the list that is there now. */
  function show() {
    const library = document.querySelector("#gs-models .gs-library");
    if (!library) return;
    const put = (part, value) => {
      const box = library.querySelector(part);
      if (box && box.value !== value) box.value = value;
    };
    const kinds = [...library.querySelectorAll(".gs-library-kind option")];
    if (!kinds.some(({ value }) => value === state.kind)) state.kind = ""; // its last one has gone
    put(".gs-library-search", state.words);
    put(".gs-library-kind", state.kind);
    library.classList.toggle("gs-walled", state.cards);
    library.querySelector(".gs-library-cards")?.setAttribute("aria-pressed", String(state.cards));
    for (const section of library.querySelectorAll("section")) {
      const lines = [...section.querySelectorAll(".gs-model-line")];
      for (const line of lines) line.hidden = !studio.saysAll(line.textContent, state.words);
      const other = state.kind && section.dataset.kind !== state.kind;
      section.hidden = Boolean(other) || lines.every((line) => line.hidden);
    }
    const some = library.querySelector("section:not([hidden])");
    library.querySelector(".gs-library-none").hidden = Boolean(some);
  }

  document.addEventListener("input", ({ target }) => {
    if (target.matches?.(".gs-library-search")) state.words = target.value;
    else if (target.matches?.(".gs-library-kind")) state.kind = target.value;
    else return;
    show();
  });

  document.addEventListener("click", ({ target }) => {
    if (target.closest?.(".gs-library-cards")) {
      state.cards = !state.cards;
      studio.shared(KEY, state.cards ? "on" : "off");
      show();
    }
    const { everywhere } = target.closest?.("[data-everywhere]")?.dataset || {};
    if (everywhere) useEverywhere(everywhere);
    const { words } = target.closest?.("[data-words]")?.dataset || {};
    if (words) editWords(words);
    const { finish } = target.closest?.("[data-finish]")?.dataset || {};
    if (finish) finishWith(finish);
  });

  /** Let a model take over the picture's last part. */
  async function finishWith(model) {
    const given = await studio.askNumbers({
      title: `Finish with ${model}`,
      note:
        "From this part of the denoising on this model takes the base's place, under the same rows: 0 is " +
        "pure noise, 1 the finished picture. Other tools call it refiner; it stands in Advanced.",
      act: "Fill the form",
      fields: [{ name: "at", label: "From", value: 0.8, low: 0.01, high: 0.99, step: 0.01 }],
    });
    if (given) studio.fillWork({ do: "finish", model, ...given });
  }

  const LABELS = {
    title: "Name",
    trigger: "Words that call it",
    advised: "Strength to begin with",
    description: "Notes",
  };

  /** A strength as any of the page's numbers may be typed, as programs read it; the rest as it is. */
  function inPlainDigits({ advised, ...texts }) {
    if (advised === undefined) return texts;
    const number = studio.parseNumber(advised);
    return { ...texts, advised: Number.isFinite(number) ? String(number) : advised };
  }

  /** Ask what is to be said of a model, and keep it; the list is then drawn anew. */
  async function editWords(id) {
    const { server } = studio.stack;
    const ask = (asked) =>
      server.model_words({ id, ...asked }).catch((error) => ({ error: `${error}` }));
    const { fields, error } = await ask({});
    if (error) return studio.toast(error);
    const before = Object.fromEntries(fields.map(({ name, value }) => [name, value]));
    const said = await studio.askTexts({
      title: `What is said of ${id}`,
      fields: fields.map(({ name, ...field }) => ({
        ...{ name, label: LABELS[name], lines: name === "description" ? 8 : 1 },
        ...field,
      })),
      act: "Keep it",
      leaving: "Leave it as it was, without what you wrote?",
      keep: async (texts) => (await ask({ said: inPlainDigits(texts), before })).error || "",
    });
    return said && document.querySelector("#gs-rescan")?.click();
  }

  /** Give a LoRA to every row, and to the base term where no row had one, as other tools do. */
  function useEverywhere(id) {
    const { stack } = studio;
    const entry = stack.models.entryOf(id);
    if (!entry || !stack.models.fits(entry)) {
      studio.toast(`${id} does not fit the base model.`);
      return;
    }
    const without = stack.cards.filter((card) => !card.has().includes(id));
    if (!without.length) {
      studio.toast(stack.cards.length ? "Every row has it already." : "There is no row yet.");
      return;
    }
    const { omega } = studio.heldFields();
    const base = studio.baseWithout(stack.cards, null, entry, omega);
    studio.giveCalled(stack, without, { entry, strength: studio.advisedFor(entry) });
    if (base) studio.setField("omega", 1);
    const count = without.length === 1 ? "1 row has" : `${without.length} rows have`;
    studio.toast(`${count} it now.`);
    if (base) studio.toast("ω is 1 now, so that the base term has the LoRA as well.");
    if (entry.trigger) studio.toast(`Its word is “${entry.trigger}”.`);
  }

  // What has come or gone in one tab, as with a download, the others of this browser ask for too.
  const PLACE = `guidance-studio-models${location.pathname}`;
  let listed = null;
  studio.on("models", (models) => {
    const now = studio.digest(JSON.stringify(models));
    if (listed !== null && now !== listed) studio.shared(PLACE, now); // of the same none hears twice
    listed = now;
  });
  addEventListener("storage", ({ key, newValue }) => {
    if (key === PLACE && newValue && newValue !== listed) studio.emit("ask-models");
  });

  /** Called once the page has its list: what was chosen holds for each that is drawn. Gradio changes what
   *  is there where it can, so that nodes stay and only their attributes are set back. */
  studio.watchLibrary = function () {
    const list = document.getElementById("gs-models");
    if (!list) return;
    const watch = new MutationObserver(() => {
      show();
      watch.takeRecords(); // of what was shown just now
    });
    const attributeFilter = ["class", "hidden"];
    watch.observe(list, { childList: true, subtree: true, attributes: true, attributeFilter });
    show();
  };
})(window.studio);
