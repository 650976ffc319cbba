// The Sweep tab: axes, what they would cost, start and stop, the grid, its files.
(function (studio) {
  "use strict";
  const { el, word } = studio;
  const TYPING = 250; // ms after the last letter
  const UNANSWERED = 4000; // ms until what was asked is asked again: of several at once one may be lost
  const NOTHING = "Choose a field to vary first.";
  const FILES = { png: "Grid PNG", csv: "CSV", json: "JSON" };

  studio.on("sweepaxes", ({ axes }) => {
    const before = studio.axes.list();
    studio.axes.replace(axes);
    if (before.length) studio.axesUndoable("Other fields are varied now.", before);
  });
  studio.on("sweepfile", ({ file, name }) => {
    if (file?.url) el("a", { href: file.url, download: name }).click();
  });

  studio.on("sweepkept", ({ text }) => studio.toast(text));

  /** What stands on the button that starts, by how many pictures are here of all. */
  studio.startLabel = (known, total) => {
    if (!known || !total) return "Start";
    return known < total ? "Go on" : "Show";
  };

  /** The list of axes: {element, faults(by number), focus(path)}. */
  function axesEditor(context) {
    const list = el("ol", { class: "gs-axes" });
    let editors = [];
    function draw() {
      editors = studio.axes.list().map((_, index) => studio.axisEditor(index, context));
      list.replaceChildren(...editors.map((one) => one.element));
    }
    draw();
    return {
      element: list,
      draw,
      faults: (by) => editors.forEach((one, index) => one.show(by[index])),
      focus: (path, index) =>
        (editors[index] ?? editors.find((one) => one.field === path))?.focus(),
    };
  }

  /** Cells as they are finished: fetches what is new and hands it to the grid, one call at a time. */
  studio.cellFetcher = function (fetch, fill) {
    let [known, wanted, stem, busy] = [0, 0, "", false];
    async function pull() {
      if (busy) return;
      busy = true;
      while (known < wanted) {
        const of = stem;
        const { cells = [] } = await fetch({ stem: of, first: known }).catch(() => ({}));
        if (of !== stem) continue;
        if (!cells.length) break;
        known += cells.length;
        fill(cells);
      }
      busy = false;
    }
    return {
      /** There are `made` finished cells now; answers whether it is another sweep than before. */
      want(next, made) {
        const other = next !== stem;
        if (other) [stem, known] = [next, 0];
        wanted = made;
        return other;
      },
      pull,
    };
  };

  const RUNNING = "guidance-studio-sweeping";
  const MADE = "guidance-studio-swept"; // at which start of the server, and how many pictures
  const OTHER = "This grid is of the form and the values as they were when it was started.";
  studio.mountSweep = function (element, server, trigger, { fields, most }) {
    const tell = studio.newest(trigger, "select");
    const use = studio.newest(trigger, "edit");
    const titles = Object.fromEntries(fields.map(({ path, title }) => [path, title]));
    const context = { groups: () => studio.fieldsToVary(fields), titles };
    const session = () => studio.session();
    let state = { state: "idle" };
    // One that ran when the page was left; a server that was started anew knows nothing of it.
    const cut = studio.noted(RUNNING) === "running";
    const [startThen, made] = String(studio.noted(MADE) || "").split(" ");
    let answer = { known: 0, ready: false };
    let turn = 0;
    let timer = 0;
    let again = 0;

    const axes = axesEditor(context);
    const add = word("Vary a field", () => {
      const options = context.groups().flatMap((one) => one.options);
      const free = options.find(({ path }) => !studio.axes.has(path));
      if (studio.axes.full()) studio.toast(studio.AXES_FULL);
      else studio.vary(free.path, free.values());
    });
    const cost = el("p", { class: "gs-sweep-cost", role: "status" });
    const start = word("Start", () => begin(), { class: "gs-word gs-sweep-start" });
    const stop = word("Stop", () => trigger("stop", {}), { hidden: true });
    const files = el(
      "span",
      { class: "gs-line", hidden: true },
      ...Object.entries(FILES).map(([what, label]) =>
        word(label, () => trigger("download", { what }), { "aria-label": `Download ${label}` }),
      ),
    );
    const bar = el("progress", { class: "gs-sweep-bar", "aria-label": "The sweep", hidden: true });
    const status = el("p", { class: "gs-sweep-status", role: "status" });
    const notes = el("div", { class: "gs-sweep-notes" });
    const other = el("p", { class: "gs-sweep-status", role: "status" });
    const grid = studio.sweepGrid({
      titles,
      open: (place) =>
        studio.openCell(place, {
          grid,
          titles,
          load: (one) => server.sweep_picture({ session: session(), place: one }),
          act: (what, one) => use({ do: what, place: one }),
          keep: (one) => trigger("copy", { place: one }),
        }),
    });
    const cells = studio.cellFetcher(
      (asked) => server.sweep_cells({ session: session(), ...asked }),
      (made) => grid.fill(made),
    );

    let reopened = ""; // the sweep that was pressed, until its form is here
    let looks = 0; // that may still be of its form on the way
    const earlier = studio.earlierSweeps({
      ...{ titles, fetch: (asked) => server.sweep_earlier({ session: session(), ...asked }) },
      open({ stem }) {
        [reopened, looks] = [stem, 0];
        use({ do: "earlier", stem });
      },
      removed(stem) {
        if (state.stem === stem) {
          cells.want("", 0);
          grid.read([]);
          show({ state: "idle", text: "" });
        }
        look(0);
      },
    });

    element.replaceChildren(
      el(
        "div",
        { class: "gs-sweep" },
        el(
          "p",
          { class: "gs-field-help" },
          `One picture for every combination of up to three fields' values, at most ${most}. ` +
            "Press a field's own name in the form, or choose one here.",
        ),
        axes.element,
        el("div", { class: "gs-line gs-sweep-actions" }, add, start, stop, files),
        cost,
        bar,
        status,
        notes,
        other,
        grid.element,
        earlier.element,
      ),
    );

    // -- what it would cost ----------------------------------------------------------------------
    function ask() {
      clearTimeout(again);
      const asked = studio.axes.list();
      if (!element.offsetParent || !asked.length) return;
      tell({ axes: asked, turn });
      again = setTimeout(ask, UNANSWERED);
    }
    function look(wait) {
      clearTimeout(timer);
      clearTimeout(again);
      timer = setTimeout(() => {
        turn += 1;
        ask();
      }, wait);
    }
    function begin() {
      const given = studio.axes.list();
      if (!given.length) return studio.toast(NOTHING);
      // One that is here from before, of an earlier studio, had a seed of its own in each picture.
      const drawn =
        answer.known && answer.turn === turn ? given : studio.withSeedsDrawn(given, studio.newSeed);
      if (drawn.some(({ values }, at) => values !== given[at].values)) studio.axes.replace(drawn);
      start.disabled = true;
      status.textContent = "Starting …";
      trigger("submit", { axes: studio.axes.list() });
    }
    function buttons() {
      const running = state.state === "running";
      const none = !studio.axes.list().length;
      start.hidden = stop.hidden === false && running;
      stop.hidden = !running;
      start.hidden = running;
      start.disabled = !none && !answer.ready;
      studio.stops(start, none ? NOTHING : "");
      start.textContent = studio.startLabel(answer.known, answer.total);
      studio.stops(add, studio.axes.full() ? studio.AXES_FULL : "");
      cost.hidden = none;
      files.hidden = running || !state.files;
      const another = !none && state.stem && answer.stem && answer.stem !== state.stem;
      other.textContent = another ? OTHER : "";
    }
    studio.on("sweeplooked", (found) => {
      if (found.turn !== turn) return;
      clearTimeout(again);
      answer = found;
      cost.textContent = found.text;
      cost.classList.toggle("gs-error", !found.ready);
      axes.faults(found.faults);
      buttons();
      if (!reopened) return;
      const here = found.stem === reopened;
      // Once its form has come, one look is of its axes and one of its fields: what comes later is another's.
      if (here || (looks && !(looks -= 1))) reopened = "";
      if (!here) return;
      // Nothing is made by that press: what is missing waits for "Go on".
      if (found.ready && found.known === found.total && state.state !== "running") begin();
    });
    studio.axes.on((why) => {
      if (why === "rows") return;
      if (why !== "text") axes.draw();
      answer = { ...answer, ready: false };
      buttons();
      look(why === "text" ? TYPING : 0);
    });
    studio.on("form", () => look(2 * TYPING));
    studio.on("sweepaxes", () => (looks = 2));

    // -- what it does ----------------------------------------------------------------------------
    /** What a start anew of the server took; a shared page's pictures go with it. */
    function lost() {
      const another = startThen && startThen !== studio.serverStart();
      if (another && Number(made) && document.getElementById("gs-kept-for-a-while"))
        return "The studio was started anew, and the pictures of the sweep are gone.";
      return cut ? "The studio was started anew, and the sweep has stopped." : "";
    }

    function show(next) {
      const ended = state.state === "running" && next.state !== "running";
      state = next;
      studio.noted(RUNNING, next.state);
      studio.noted(MADE, `${studio.serverStart()} ${next.made || 0}`);
      status.textContent = next.refused || (next.state === "idle" ? lost() : next.text);
      status.classList.toggle("gs-error", Boolean(next.refused) || next.state === "failed");
      status.dataset.state = next.state;
      notes.replaceChildren(
        ...(next.notes || []).map((one) => el("p", { class: "gs-sweep-status" }, one)),
      );
      bar.hidden = next.state !== "running";
      if (next.total) [bar.max, bar.value] = [next.total, next.made];
      else bar.removeAttribute("value");
      if (next.stem && cells.want(next.stem, next.made)) grid.read(next.axes);
      cells.pull();
      buttons();
      if (ended || next.refused) look(0);
      if (ended) earlier.look();
    }
    studio.on("sweep", show);
    studio.on("unsent", ({ text }) => text && show(state)); // its start may be what was not heard
    studio.on("sweepfocus", ({ path, index }) =>
      requestAnimationFrame(() => element.offsetParent && axes.focus(path, index)),
    );
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) look(0);
    }).observe(element);
    buttons();
  };
})(window.studio);
