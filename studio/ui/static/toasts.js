// Lines at the foot of the page, one above the other: none hides another.
(function (studio) {
  "use strict";
  const { el } = studio;
  // A press on one is none on what lies around it, which may close.
  const notes = el("div", { class: "gs-toasts", onclick: (event) => event.stopPropagation() });

  /** All else is out of reach while a dialog is open: they lie in it until it closes. */
  function place(lines, home) {
    const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
    const around = dialog ?? home;
    if (lines.parentNode === around) return;
    around.append(lines);
    dialog?.addEventListener("close", () => place(lines, home), { once: true });
  }
  /** Gradio's own, which it keeps below every dialog; and all that stand when one opens. */
  studio.filled?.then(() => {
    const theirs = document.querySelector(".toast-wrap");
    const home = theirs?.parentNode;
    const came = () => theirs?.childElementCount && place(theirs, home);
    const opens = () => {
      if (notes.childElementCount) place(notes, document.body);
      came();
    };
    if (theirs) new MutationObserver(came).observe(theirs, { childList: true });
    const dialogs = { attributeFilter: ["open"], subtree: true };
    new MutationObserver(opens).observe(document.body, dialogs);
  });

  function show(note, time) {
    place(notes, document.body);
    notes.append(note);
    note.addEventListener("focusin", ({ relatedTarget: from }) => {
      if (!notes.contains(from)) held.set(note, from);
    });
    setTimeout(() => take(note), time);
  }
  const held = new WeakMap(); // what had the keyboard before a note did
  const backs = []; // what stands there to be taken back, the newest last: {note, undo, when}

  /** Take a note away; the keyboard does not go with it. */
  function take(note) {
    const here = note.contains(document.activeElement);
    const place = backs.findIndex((one) => one.note === note);
    if (place >= 0) backs.splice(place, 1);
    note.remove();
    if (!here) return;
    held.get(note)?.focus({ preventScroll: true });
    if (document.activeElement === document.body) studio.focusForm();
  }

  /** A line at the foot of the page, for what happens in the browser alone. */
  studio.toast = function (text) {
    const note = el("div", { class: "gs-toast", role: "status" }, text);
    show(note, Math.max(5000, 50 * text.length)); // as long as it takes to read
  };

  /** The same with something to do about it for a while, once. */
  studio.offer = function (text, label, act) {
    const press = studio.word(label, () => {
      take(note);
      act();
    });
    const note = el("div", { class: "gs-toast", role: "status" }, `${text} `, press);
    show(note, 12000);
  };

  /** The same of what can be taken back for a while; answers a function that takes the note away. */
  studio.undoable = function (text, undo) {
    const back = studio.word("Undo", () => {
      undo();
      take(note);
    });
    const note = el("div", { class: "gs-toast", role: "status" }, `${text} `, back);
    backs.push({ note, undo, when: Date.now() });
    show(note, 8000);
    return () => take(note);
  };

  /** Take back the newest of them that came after `since`, as a press of its Undo would; answers
   *  whether there was one. */
  studio.takeBack = function (since) {
    const newest = backs.at(-1);
    if (!newest || newest.when <= since) return false;
    newest.undo();
    take(newest.note);
    return true;
  };
})(window.studio);
