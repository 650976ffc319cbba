// What this browser keeps: the session's key and the form, each tab its own.
(function (studio) {
  "use strict";
  const LAST = "guidance-studio-last"; // the form that was edited last, in any tab
  const TAB = "guidance-studio-tab"; // this tab's form; it survives a reload
  const KEY = "guidance-studio-session";
  const LINK = "guidance-studio-link"; // the link that this tab has opened already

  /** A store that may refuse, as in private windows. */
  const read = (store, name) => {
    try {
      return window[store].getItem(name);
    } catch {
      return null;
    }
  };
  const keep = (store, name, text) => {
    try {
      window[store].setItem(name, text);
      return true;
    } catch {
      return false;
    }
  };

  const drop = (store, name) => {
    try {
      window[store].removeItem(name);
    } catch {
      /* private mode */
    }
  };

  /** A note that this tab keeps over a reload: read by its name alone, written with a value. */
  studio.noted = (name, ...value) =>
    value.length ? keep("sessionStorage", name, value[0]) : read("sessionStorage", name);

  /** A note to the other tabs of this browser. */
  studio.shared = (name, value) => keep("localStorage", name, value);

  /** What was written by that name in this browser; null for nothing. */
  studio.remembered = (name) => read("localStorage", name);

  let key = null;
  /** The key of this tab's session: a secret between this tab and the server. */
  studio.session = function () {
    key = key || read("sessionStorage", KEY);
    if (!key) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      key = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      keep("sessionStorage", KEY, key);
    }
    return key;
  };

  // An empty box is "" as Gradio writes it, and null as it comes: one of both, or there is a change
  // from nothing to nothing.
  const plain = (value) => value ?? "";

  /** The form without its small pictures, as JSON by name. */
  studio.formText = function (names, values) {
    const form = Object.fromEntries(names.map((name, index) => [name, plain(values[index])]));
    form.rows = form.rows?.rows ?? [];
    form.init = form.init?.init ?? null;
    return JSON.stringify(form);
  };

  /** A kept form as it is kept now: an earlier version wrote null. */
  studio.plainForm = function (text) {
    try {
      const form = Object.entries(JSON.parse(text));
      const settled = form.map(([name, value]) => [name, name === "init" ? value : plain(value)]);
      return JSON.stringify(Object.fromEntries(settled));
    } catch {
      return text;
    }
  };

  // What was loaded last; the form differs from it once somebody has edited it. A loaded preset
  // fills the form in its own time, so that what comes before the next hand on it is its own.
  const BASE = "guidance-studio-loaded";
  const LAST_BASE = "guidance-studio-last-loaded"; // of the form that was edited last, in any tab
  for (const [store, ...names] of [
    ["sessionStorage", TAB, BASE],
    ["localStorage", LAST, LAST_BASE],
  ])
    for (const name of names) {
      const text = read(store, name);
      const settled = text && studio.plainForm(text);
      if (settled !== text) keep(store, name, settled);
    }
  // A form that is again as something was loaded, as after Undo, is no edited one.
  const MOST_BASES = 50;
  const bases = [read("sessionStorage", BASE)].filter(Boolean);
  function remember(text) {
    if (!text || bases.includes(text)) return;
    bases.push(text);
    bases.splice(0, bases.length - MOST_BASES);
  }
  function keepBase(text) {
    keep("sessionStorage", BASE, text);
    if (studio.preferences().autosave) keep("localStorage", LAST_BASE, text);
  }
  const SETTLING = 1500; // ms in which a press elsewhere, such as on a tab, is no edit yet
  let settles = false;
  let since = 0;
  let otherwise = ""; // the form that the server goes on with, where a link is damaged
  studio.on("notes", ({ loaded }) => {
    if (!loaded) return;
    settles = true;
    otherwise = "";
    since = Date.now();
    const text = read("sessionStorage", TAB);
    remember(read("sessionStorage", BASE));
    // Where the form had its values first; else it is the form before, which may be an edited one:
    // what is remembered is what stands there at the next edit or load.
    if (text) keepBase(text);
    showEdited(text);
  });
  // What has been saved is a preset again, and no edited one.
  studio.on("saved", () => {
    const text = read("sessionStorage", TAB);
    remember(text);
    if (text) keepBase(text);
    showEdited(text);
  });
  const typed = (node) => node.matches?.("input, textarea, select");
  for (const kind of ["input", "keydown", "pointerdown"])
    document.addEventListener(
      kind,
      (event) => {
        const { type, target } = event;
        const key = type === "keydown" && (typed(target) || studio.wayOfKey?.(event));
        const edits = type === "input" || key || target.closest?.(".gs-undo");
        if (!settles || !(edits || Date.now() > since + SETTLING)) return;
        settles = false;
        remember(read("sessionStorage", BASE));
      },
      true,
    );
  function showEdited(text) {
    const loaded = read("sessionStorage", BASE);
    document
      .getElementById("gs-heading")
      ?.classList.toggle("gs-edited", Boolean(loaded) && loaded !== text);
  }

  // What the settings do not let be kept beyond a tab's life is kept nowhere.
  studio.on("preferences", ({ autosave }) => {
    if (autosave) return;
    for (const name of [LAST, LAST_BASE, TRAINING]) drop("localStorage", name);
  });

  /** A kept form goes on: what it was loaded from stays; a new tab has that of the last one of all. */
  function goOn() {
    settles = false;
    if (!read("sessionStorage", TAB))
      keep("sessionStorage", BASE, read("localStorage", LAST_BASE) || "");
  }

  let decoder = ""; // the autoencoder that the form names
  studio.autosave = function (names, values) {
    if (!studio.isFilled()) return; // the empty form of a page that is still being filled
    const text = studio.formText(names, values);
    if (otherwise && text === otherwise) goOn();
    otherwise = "";
    if (settles || bases.includes(text)) keepBase(text);
    showEdited(text);
    const { vae = "" } = JSON.parse(text);
    if (vae !== decoder) studio.emit("vae", (decoder = vae));
    took(text);
  };

  /** Keep a form, as this tab's and as the last one of all; undo and the notes hear of it. */
  function took(text) {
    keep("sessionStorage", TAB, text);
    if (studio.preferences().autosave) keep("localStorage", LAST, text);
    studio.recordForm(text);
    studio.emit("form", text);
  }

  /** The base in its box, where it is one of the library: the box may hold half a name. */
  function chosenBase() {
    const base = document.querySelector("#gs-base input")?.value;
    return base && studio.stack.models.entryOf(base) ? { base } : {};
  }

  /** A form with what the page shows of it: an edit reaches the form that is kept a moment later. */
  function brought(form) {
    const known = Object.entries(studio.heldFields())
      .filter(([name]) => name in form)
      .map(([name, value]) => [name, plain(value)]);
    const rows = studio.stack.cards.map((card) => card.row);
    const init = studio.start?.attached() ? studio.start.init : form.init;
    return { ...form, ...Object.fromEntries(known), ...chosenBase(), rows, init };
  }

  /** Keep what the page shows now, before an edit of this moment is told. */
  studio.bringForm = function () {
    const text = read("sessionStorage", TAB);
    if (!text || !studio.isFilled() || !studio.stack) return;
    const taking = settles && Number.isFinite(since) && Date.now() <= since + SETTLING;
    if (taking) return; // rows of a preset whose other fields are not there yet
    const left = JSON.stringify(brought(JSON.parse(text)));
    if (left !== text) took(left);
  };
  window.addEventListener("pagehide", () => studio.bringForm());

  // The form of the Train tab and its pictures, without their small copies: this tab's own; in a new
  // tab the last one of all.
  const TRAINING = "guidance-studio-training";
  let training = null; // as it was kept last; null until it is there
  function keepTraining(form) {
    training = form;
    const text = JSON.stringify(form);
    keep("sessionStorage", TRAINING, text);
    if (studio.preferences().autosave) keep("localStorage", TRAINING, text);
  }
  studio.keepTraining = function (names, values) {
    if (!training) return;
    const form = Object.fromEntries(names.map((name, index) => [name, values[index]]));
    form.pictures = form.pictures?.pictures ?? [];
    keepTraining(form);
  };
  studio.keptTraining = function () {
    training = {};
    return read("sessionStorage", TRAINING) || read("localStorage", TRAINING) || "";
  };

  /** The same with what the tab shows of it now. */
  function broughtTraining(form) {
    const held = studio.heldFields();
    const now = Object.entries(form).map(([name, value]) => {
      if (name === "pictures" && studio.pictures) return [name, studio.pictures.pictures];
      if (`train_${name}` in held) return [name, held[`train_${name}`]];
      const box = document.querySelector(`#gs-train-${name} :is(input, textarea)`);
      const plain = box && box.getAttribute("role") !== "combobox";
      return [name, plain ? (box.type === "checkbox" ? box.checked : box.value) : value];
    });
    return Object.fromEntries(now);
  }
  window.addEventListener("pagehide", () => {
    const left = training && broughtTraining(training);
    if (left && JSON.stringify(left) !== JSON.stringify(training)) keepTraining(left);
  });

  /** Whether the link of this page is done with; one that is not is asked about after a reload. */
  studio.linkAnswered = function (done) {
    if (!done) return drop("sessionStorage", LINK);
    keep("sessionStorage", LINK, new URLSearchParams(location.search).get("p") || "");
  };

  /** The form to begin with: this tab's own; in a new tab the last one, unless a link is opened. */
  studio.opening = function () {
    studio.emit("opening", {});
    const link = new URLSearchParams(location.search).get("p");
    const fresh = Boolean(link) && read("sessionStorage", LINK) !== link;
    if (fresh) keep("sessionStorage", LINK, link);
    const own = read("sessionStorage", TAB);
    const last = own || (link && !fresh ? "" : read("localStorage", LAST)) || "";
    const base = own ? read("sessionStorage", BASE) : read("localStorage", LAST_BASE);
    const edited = Boolean(last) && base !== last;
    const kept = fresh ? "" : last;
    if (kept) goOn();
    else {
      settles = true; // what the server sends is on its way
      since = Infinity;
    }
    otherwise = fresh ? last : "";
    // Where the link is damaged, and where it is asked first whether to open it.
    if (fresh) return JSON.stringify({ otherwise: last, edited });
    return kept;
  };
})(window.studio);
