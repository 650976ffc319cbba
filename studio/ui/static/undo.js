// Undo and redo over the whole form: what was changed, step by step, in words; it survives a reload.
(function (studio) {
  "use strict";
  const { el } = studio;
  const PLACE = "guidance-studio-undo";
  const MOST = 200; // steps
  const BURST = 350; // ms within which changes are one step, as when a preset is loaded
  const SAME = 1200; // ms within which changes of one field are one step, as when one types
  const SETTLING = 1500; // ms in which the page takes up what was undone
  const KEEPING = 300; // ms until the steps are kept
  const LISTENING = 60; // ms for a field to take a step of its own
  const PATIENCE = 30_000; // ms for the page to take up what was undone

  /** Which way a pressed key goes, here and in the painter: "undo", "redo" or "". */
  studio.wayOfKey = function ({ key, ctrlKey, metaKey, altKey, shiftKey }) {
    if (!(ctrlKey || metaKey) || altKey) return "";
    const letter = key.toLowerCase();
    if (!["z", "y"].includes(letter)) return "";
    return letter === "y" || shiftKey ? "redo" : "undo";
  };

  /** The steps, without a page: {record, undo, redo, state}; `clock` gives milliseconds. What was
   *  undone stands here at once, and on the page when that is `answered`. */
  studio.undoLog = function (clock, kept) {
    const state = { past: [], future: [], now: null, ...kept };
    let when = -Infinity;
    let field = "";
    let apart = false; // pressed since the last step
    let undone = []; // what could be done again before it
    let settles = -Infinity;
    let until = -Infinity; // waits for the page at most so long
    let again = false; // for what was undone meanwhile, too
    const waits = () => clock() < until;
    /** A step from one list onto the other: the form, and in words what is taken back or done again. */
    function step(from, to, back) {
      if (!from.length) return null;
      const earlier = state.now;
      state.now = from.pop();
      to.push(earlier);
      settles = clock() + SETTLING;
      again = waits();
      until = clock() + PATIENCE;
      when = -Infinity;
      const [before, after] = back ? [state.now, earlier] : [earlier, state.now];
      return { form: state.now, words: studio.changeInWords(before, after) };
    }
    return {
      state,
      record(text) {
        const time = clock();
        if (text === state.now || waits()) return false;
        if (state.now === null || time < settles) {
          state.now = text;
          return false;
        }
        const changed = studio.changedPlaces(state.now, text);
        const name = JSON.stringify(changed);
        // Every row that is added or deleted changes the same place, the list of them; and of two
        // presses that take each other back none is left.
        const others = apart && (name === '[["rows"]]' || text === state.past.at(-1));
        const soon =
          (name === field && !others && time - when < SAME) || (!apart && time - when < BURST);
        const joins = state.past.length && soon;
        apart = false;
        if (!joins) {
          undone = state.future;
          state.past.push(state.now);
          state.past.splice(0, Math.max(0, state.past.length - MOST));
        }
        const none = text === state.past.at(-1); // a field that is as it was: no step
        if (none) state.past.pop();
        state.future = none ? undone : [];
        state.now = text;
        when = none ? -Infinity : time;
        field = none ? "" : name;
        return true;
      },
      /** A hand on the page: what changes now is a step, not what is still being taken up. */
      touched() {
        settles = until = -Infinity;
      },
      /** A press: what it changes is a step of its own, however soon it comes after the last one. */
      pressed() {
        this.touched();
        apart = true;
      },
      /** The page has what was undone; the last of several comes with a second answer. */
      answered() {
        if (!again) until = -Infinity;
        again = false;
        settles = clock() + SETTLING;
      },
      waits,
      /** Whether the page is taking up what was undone. */
      settling: () => waits() || clock() < settles,
      undo: () => step(state.past, state.future, true),
      redo: () => step(state.future, state.past, false),
    };
  };

  function load() {
    try {
      const { now, past, parts, steps } = JSON.parse(sessionStorage.getItem(PLACE) || "{}");
      if (!steps) return {};
      const forms = studio.unpackForms({ parts, steps }).map(studio.plainForm);
      return {
        now: studio.plainForm(now),
        past: forms.slice(0, past),
        future: forms.slice(past),
      };
    } catch {
      return {};
    }
  }
  const log = studio.undoLog(() => Date.now(), load());
  const pack = studio.formPacker();
  let waiting = 0;
  function keep() {
    clearTimeout(waiting);
    waiting = 0;
    const { now, future } = log.state;
    for (let { past } = log.state; ; past = past.slice(Math.ceil(past.length / 2))) {
      try {
        const kept = { now, past: past.length, ...pack([...past, ...future]) };
        sessionStorage.setItem(PLACE, JSON.stringify(kept));
        return;
      } catch {
        if (!past.length) return; // a browser that keeps nothing
      }
    }
  }
  /** Keep the steps once there is time; a page that is left does it at once. */
  function keepSoon() {
    waiting ||= setTimeout(keep, KEEPING);
  }
  window.addEventListener("pagehide", () => waiting && keep());
  let buttons = null;
  function show() {
    if (!buttons) return;
    buttons.undo.disabled = !log.state.past.length;
    buttons.redo.disabled = !log.state.future.length;
  }
  let stepped = -Infinity; // when the form's last step was
  studio.recordForm = function (text) {
    if (log.record(text)) stepped = Date.now();
    keepSoon();
    show();
  };

  let send = null;
  function go(way) {
    if (!log.waits()) studio.bringForm(); // so that an edit of this moment is the one that is taken back
    const step = send && log[way]();
    if (!step) {
      studio.toast(way === "undo" ? "Nothing to undo." : "Nothing to redo.");
      return;
    }
    keepSoon();
    show();
    send({ form: step.form });
    const words = step.words || "a change";
    studio.toast(way === "undo" ? `Undone: ${words}` : `Done again: ${words}`);
  }

  studio.undone = () => log.answered();
  studio.undoSettles = () => log.settling();

  studio.mountUndo = function (element, trigger) {
    send = studio.newest(trigger, "undo");
    const make = (way, icon, label) =>
      studio.button(icon, label, () => go(way), { disabled: true });
    buttons = {
      undo: make("undo", "undo", "Undo (Ctrl+Z)"),
      redo: make("redo", "redo", "Redo (Ctrl+Shift+Z)"),
    };
    element.replaceChildren(el("span", { class: "gs-undo" }, buttons.undo, buttons.redo));
    show();
  };

  // In a field in which somebody has just typed, the browser's own undo comes first; not in one that
  // the page wrote into meanwhile, where it would put back what was pasted over beside what stands there.
  let typed = null;
  const texts = new WeakMap(); // of a field, what somebody typed last
  const written = new WeakSet(); // fields that the page wrote into since
  const RECORDED = "#gs-left"; // where the form's fields are; all others have the browser's own alone
  const isWritten = (field) => {
    if (!field.closest?.(RECORDED)) return false;
    if (texts.has(field) && texts.get(field) !== field.value) written.add(field);
    return written.has(field);
  };
  document.addEventListener("beforeinput", ({ target }) => isWritten(target), true);
  document.addEventListener(
    "input",
    (event) => {
      if (!event.isTrusted || !event.target.matches?.("textarea, input")) return;
      typed = event.target;
      texts.set(typed, typed.value);
    },
    true,
  );
  document.addEventListener("focusout", () => (typed = null), true);
  const ofUndo = ({ target }) => target.closest?.(".gs-undo");
  document.addEventListener("input", (event) => ofUndo(event) || log.touched(), true);
  // A press by key, or by what reads the page aloud, is a click of no pointer.
  let held = false; // a key that repeats itself is one press
  document.addEventListener("keydown", ({ repeat }) => (held = repeat), true);
  document.addEventListener("keyup", () => (held = false), true);
  for (const kind of ["pointerdown", "drop", "click"])
    document.addEventListener(
      kind,
      (event) => {
        if (ofUndo(event)) return;
        if (kind === "click" && (event.detail || held || !event.isTrusted)) return;
        if (!log.waits()) studio.bringForm(); // the edit before this press is its own step
        log.pressed();
      },
      true,
    );
  /** Take one step back or again: what came after the form's last step comes back before it. */
  function take(way) {
    if (!log.waits()) studio.bringForm(); // an edit of this moment came after what was taken away
    // What was taken away since, a picture of a training say, comes back before the form does.
    if (way === "undo" && studio.takeBack(stepped)) return;
    studio.filled.then(() => go(way));
  }
  /** The field's own step, or the form's where it has none. */
  function leaveToField(field, way) {
    const before = field.value;
    setTimeout(() => {
      if (field.value !== before || typed !== field) return;
      typed = null;
      take(way);
    }, LISTENING);
  }
  document.addEventListener("keydown", (event) => {
    const way = studio.wayOfKey(event);
    if (!way || document.querySelector("dialog[open]")) return;
    const text = event.target.matches?.("textarea, input:not([type=range]):not([type=checkbox])");
    if (text && typed === event.target && !isWritten(typed)) return leaveToField(typed, way);
    event.preventDefault();
    take(way);
  });
})(window.studio);
