// Notes on what was opened, and on what was done with it: all of them, in lists that stay until they
// are closed. Those on what was opened go with the last of its rows, and come back with it by undo.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const PLACE = "guidance-studio-notes";
  const MOST = 400; // states of rows that are known

  /** Whether rows are those of what was opened, however they were edited since:
   *  {begin(rows), look(rows), kept()}; `look` says whether one of them is left. */
  studio.openedRows = function (kept) {
    const text = (row) => studio.asText(row);
    let { rows: opened = [], before = [] } = kept || {};
    let last = [];
    let earlier = []; // where the opened rows came before their notes
    let known = new Set(opened);
    return {
      begin(rows) {
        known = new Set((opened = rows.map(text)));
        // What undo brings back is no edit.
        before = [...earlier, ...last].filter((one) => !known.has(one));
      },
      look(rows) {
        const now = rows.map(text);
        if (now.length === last.length)
          now.forEach((one, index) => {
            if (known.has(last[index]) && !before.includes(one)) known.add(one);
          });
        if (known.size > MOST) known = new Set([...opened, ...now.filter((one) => known.has(one))]);
        if (now.join() !== last.join()) earlier = last;
        last = now;
        return !opened.length || now.some((one) => known.has(one));
      },
      kept: () => ({ rows: [...known], before }),
    };
  };

  const OVER = "guidance-studio-failure-over"; // the run whose failure is
  const HEARD = 500; // ms
  /** What went wrong with the last run is over once another preset is loaded. `stays`: it stays to be
   *  read, in no red. */
  function settleFailure(stays = false) {
    const bar = document.querySelector('.gs-progress[data-state="failed"]');
    if (!bar) return;
    if (bar.dataset.run) studio.noted(OVER, bar.dataset.run);
    bar.dataset.state = "idle";
    if (!stays) bar.querySelector(".gs-progress-text").textContent = "Ready";
  }
  if (!studio.on) return; // the rows alone, without a page

  const { el, button } = studio;
  // What was refused for a field is over once that field is right.
  let refused = "";
  studio.on("fault", ({ field, text }) => {
    const line = document.querySelector('.gs-progress[data-state="failed"] .gs-progress-text');
    if (!text && refused && line && studio.englishOf(line).endsWith(refused)) settleFailure();
    refused = field ? `: ${text}` : "";
  });

  // So is what a run was refused for once that field is another, also where its bar comes again.
  let form = null;
  const failed = () => document.querySelector('.gs-progress[data-state="failed"][data-field]');
  /** Whether the form holds another value by now than the one that was refused. */
  function mended(bar) {
    if (!form || !bar.dataset.value) return false;
    const now = [studio.formAt(form, bar.dataset.field)].flat();
    return now.length === 1 && (now[0] ?? "") !== JSON.parse(bar.dataset.value);
  }
  studio.on("form", (text) => {
    const [last, bar] = [form, failed()];
    form = JSON.parse(text);
    const at = (one) => JSON.stringify(studio.formAt(one, bar.dataset.field));
    const other = bar?.dataset.value ? mended(bar) : bar && last && at(last) !== at(form);
    if (other) settleFailure();
  });
  studio.filled.then(() => {
    const bar = document.getElementById("gs-progress").parentElement;
    new MutationObserver(() => {
      const run = bar.querySelector('.gs-progress[data-state="failed"]')?.dataset.run;
      if (run && run === studio.noted(OVER)) settleFailure();
      // It may have been mended while the run waited; what was typed last is heard of a moment later.
      setTimeout(() => failed() && mended(failed()) && settleFailure(true), HEARD);
    }).observe(bar, {
      childList: true,
      subtree: true,
      attributeFilter: ["data-state", "data-run"],
    });
  });

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(PLACE));
    } catch {
      return null;
    }
  }
  let shown = read(); // the notes on what was opened: {title, notes, rows}
  let rows = studio.openedRows(shown?.rows);
  function keep() {
    try {
      if (!shown) sessionStorage.removeItem(PLACE);
      else sessionStorage.setItem(PLACE, JSON.stringify({ ...shown, rows: rows.kept() }));
    } catch {
      /* a browser that keeps nothing */
    }
  }
  function close() {
    shown = null;
    keep();
  }

  /** What stood over the form is closed: the next key goes on from here. */
  studio.focusForm = function () {
    const heading = document.getElementById("gs-heading");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
  };

  const AT_THE_SITE =
    /^(['"]).*\1 can be looked up on civitai\.com: ([0-9a-f]{8,64}|civitai\.com\/api\/download\/models\/\d{1,12})$/i;
  /** A note; of a model that a site may have, with the button that looks it up there. */
  function lineOf(note) {
    const [, , wanted] = note.match(AT_THE_SITE) ?? [];
    if (!wanted || !studio.isLaidOut("gs-fetch-name")) return el("li", {}, note);
    const look = el(
      "button",
      {
        type: "button",
        class: "gs-word",
        "data-fetch": wanted,
        "data-does": "Look up",
        "aria-label": `Look up ${wanted}`,
      },
      "Look up",
    );
    return el("li", {}, el("span", {}, note), " ", look);
  }

  /** A list of notes over the form, in place of the one of its kind: "opened" or "done". */
  function draw({ title, notes, off }, kind, closed) {
    document.querySelector(`.gs-notices[data-of=${kind}]`)?.remove();
    if (!notes.length) return null;
    const box = el(
      "section",
      { class: "gs-notices", "aria-label": "Notes", role: "status", "data-of": kind },
      el(
        "div",
        { class: "gs-notices-head" },
        el("strong", {}, `${title}: ${notes.length} ${notes.length === 1 ? "note" : "notes"}`),
        button("close", "Close the notes", () => {
          box.remove();
          closed();
          studio.focusForm();
        }),
      ),
      el("ul", {}, ...notes.map(lineOf)),
      // A style that lay over the rows already can be taken off them.
      off ? studio.word("Take it off", () => studio.emit("style-off", off)) : null,
    );
    document.getElementById("gs-heading")?.before(box);
    return box;
  }

  studio.on("notes", (told) => {
    settleFailure();
    if (!told.loaded) {
      // What was said of something that has been taken back is true no more.
      if (told.notes.length || told.taken)
        draw(told, "done", () => {})?.scrollIntoView({ block: "nearest" });
      return;
    }
    document.querySelector(".gs-notices[data-of=done]")?.remove();
    rows.begin(told.rows || []);
    studio.emit("opened", { left: true });
    shown = told.notes.length ? { title: told.title, notes: told.notes } : null;
    keep();
    draw(told, "opened", close)?.scrollIntoView({ block: "nearest" });
  });

  studio.on("form", (text) => {
    const left = rows.look(JSON.parse(text).rows || []);
    studio.emit("opened", { left });
    if (!shown) return;
    const box =
      document.querySelector(".gs-notices[data-of=opened]") || draw(shown, "opened", close);
    if (box) box.hidden = !left;
    keep();
  });
})(window.studio);
