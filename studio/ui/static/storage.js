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

  /** The form without its small pictures, as JSON by name. */
  studio.formText = function (names, values) {
    const form = Object.fromEntries(names.map((name, index) => [name, values[index]]));
    form.rows = form.rows?.rows ?? [];
    form.init = form.init?.init ?? null;
    return JSON.stringify(form);
  };

  // What was loaded last; the form differs from it once somebody has edited it. A loaded preset
  // fills the form in its own time, so that what comes before the next hand on it is its own.
  const BASE = "guidance-studio-loaded";
  const LAST_BASE = "guidance-studio-last-loaded"; // of the form that was edited last, in any tab
  function keepBase(text) {
    keep("sessionStorage", BASE, text);
    if (studio.preferences().autosave) keep("localStorage", LAST_BASE, text);
  }
  const SETTLING = 1500; // ms in which a press elsewhere, such as on a tab, is no edit yet
  let settles = false;
  let since = 0;
  studio.on("notes", ({ loaded }) => {
    if (!loaded) return;
    settles = true;
    since = Date.now();
    const text = read("sessionStorage", TAB);
    if (text) keepBase(text); // where the form had its values first
    showEdited(text);
  });
  // What has been saved is a preset again, and no edited one.
  studio.on("saved", () => {
    const text = read("sessionStorage", TAB);
    if (text) keepBase(text);
    showEdited(text);
  });
  const typed = (node) => node.matches?.("input, textarea, select");
  for (const kind of ["input", "keydown", "pointerdown"])
    document.addEventListener(
      kind,
      ({ type, target }) => {
        const edits = type === "input" || (type === "keydown" && typed(target));
        if (edits || Date.now() > since + SETTLING) settles = false;
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
    for (const name of [LAST, LAST_BASE]) drop("localStorage", name);
  });

  let decoder = ""; // the autoencoder that the form names
  studio.autosave = function (names, values) {
    if (!studio.isFilled()) return; // the empty form of a page that is still being filled
    const text = studio.formText(names, values);
    if (settles) keepBase(text);
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

  // An edit of the rows reaches this form a moment later; a page that is left in it keeps it too.
  window.addEventListener("pagehide", () => {
    const text = read("sessionStorage", TAB);
    if (!text || !studio.isFilled() || !studio.stack) return;
    const taking = settles && Number.isFinite(since) && Date.now() <= since + SETTLING;
    if (taking) return; // rows of a preset whose other fields are not there yet
    const rows = studio.stack.cards.map((card) => card.row);
    const left = JSON.stringify({ ...JSON.parse(text), rows });
    if (left !== text) took(left);
  });

  // The form of the Train tab and its pictures, without their small copies.
  const TRAINING = "guidance-studio-training";
  let training = false;
  studio.keepTraining = function (names, values) {
    if (!training) return;
    const form = Object.fromEntries(names.map((name, index) => [name, values[index]]));
    form.pictures = form.pictures?.pictures ?? [];
    keep("localStorage", TRAINING, JSON.stringify(form));
  };
  studio.keptTraining = function () {
    training = true;
    return read("localStorage", TRAINING) || "";
  };

  /** The form to begin with: this tab's own; in a new tab the last one, unless a link is opened. */
  studio.opening = function () {
    studio.emit("opening", {});
    const link = new URLSearchParams(location.search).get("p");
    const fresh = Boolean(link) && read("sessionStorage", LINK) !== link;
    if (fresh) keep("sessionStorage", LINK, link);
    const own = fresh ? "" : read("sessionStorage", TAB);
    const kept = own || (link ? "" : read("localStorage", LAST)) || "";
    if (kept && !own) keep("sessionStorage", BASE, read("localStorage", LAST_BASE) || "");
    if (!kept) {
      settles = true; // what the server sends is on its way
      since = Infinity;
    }
    return kept;
  };
})(window.studio);
