// What a page keeps over the end of its server, or a reload: a press that nobody heard, the training
// that went on, the tab that was open.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const UNSENT = "guidance-studio-unsent";
  const TRAINING = "guidance-studio-trained";
  const TAB = "guidance-studio-open-tab";
  // What begins something, by its id in the layout.
  const STARTS = ["generate", "forever", "works", "tour", "sweep", "tradeoff"].concat(
    ["start", "restart", "agree", "resume", "sweep", "examples"].map((action) => `train-${action}`),
  );
  // What brings files, likewise.
  const BRINGS = ["train-files", "load"];
  const MOMENT = 1500; // ms for a press where the server was away before
  const AGAIN = 4000; // ms for a change there: it may have failed long ago, as while the machine slept
  const PATIENCE = 10000; // ms in which a press gets to the server, or it is known to be away
  const TEXT = "The studio did not answer: what was pressed last was not started";
  const LOST = "The studio did not answer: the files that were brought last are not here";
  const CHANGED = "The studio did not answer: what was pressed or changed since was not kept";
  // One's own reload may come between a press that arrived and its answer.
  const MAYBE =
    "The page was loaded anew before the studio answered: what was pressed last may not have started";
  const LOOKS = 2000; // ms between two looks at the training of others
  const FOUND = 5000; // ms in which a page finds the run again that goes on

  /** Whether a request of Gradio's, by its body, comes from one of these places. */
  function comesFrom(names, body, components) {
    const { trigger_id: id } = studio.messageOf(String(body ?? ""));
    const from = (components || []).find((one) => one.id === id);
    return names.some((name) => from?.props?.elem_id === `gs-${name}`);
  }
  /** Whether such a request begins something; `components` as the page has them. */
  studio.begins = (body, components) => comesFrom(STARTS, body, components);
  /** Whether it brings files. */
  studio.brings = (body, components) => comesFrom(BRINGS, body, components);

  let away = false; // the last request failed
  let heard = 0; // when a press was answered last
  let failed = 0; // when one was not
  let [joined, missed] = [0, 0]; // the same of any request that waits for its turn
  /** Of each request: whether it was answered at all. */
  studio.reached = (answered) => (away = !answered);

  function say(text, note = text ? "unheard" : "") {
    studio.noted(UNSENT, note);
    studio.emit("unsent", { text });
  }
  /** Gradio says of such a press only that the connection is gone, and loads the page anew. */
  studio.unheard = function (body) {
    missed = Date.now();
    const { components } = window.gradio_config ?? {};
    if (studio.brings(body, components)) say(LOST, "lost");
    if (!studio.begins(body, components)) return;
    failed = Date.now();
    say(TEXT);
  };
  studio.heard = function (body) {
    joined = Date.now();
    const { components } = window.gradio_config ?? {};
    if (studio.brings(body, components) && studio.noted(UNSENT) === "lost") say("");
    if (!studio.begins(body, components)) return;
    heard = Date.now();
    say("");
  };
  if (!studio.on) return; // the answers alone, without a page

  /** Whether an event of one's own components changes what the server keeps. */
  studio.alters = (name, asked) =>
    ["edit", "delete", "replace", "copy", "off", "stop"].includes(name) ||
    ["mark", "delete", "restore", "empty", "clear"].includes(asked?.do) ||
    // A gallery's preset that is kept, one's own that is published.
    (name === "submit" && Boolean(asked?.source || asked?.publish));
  /** Where a change does not get to the server, that is said, as the page has shown it already. */
  studio.altering = async function () {
    const changed = Date.now();
    await studio.until(() => Math.max(joined, missed) >= changed, away ? AGAIN : PATIENCE);
    if (joined < changed && (away || missed >= changed)) say(CHANGED, "changed");
  };
  /** Whether it is said that such a change is lost. */
  studio.saidLost = () => studio.noted(UNSENT) === "changed";
  /** `trigger` of a component, which says so. */
  studio.withWord = (trigger) => (name, asked) => {
    if (studio.alters(name, asked)) studio.altering();
    return trigger(name, asked);
  };

  /** Let the browser ask before a reload takes what an open dialog holds and nobody has kept: one's
   *  own, or Gradio's once it has found its server again. `holds`: whether there is anything. */
  studio.askBeforeReload = function (dialog, holds) {
    let stayed = false;
    const asks = (event) => {
      if (!dialog.open || !holds()) return;
      event.preventDefault();
      stayed = true;
    };
    window.addEventListener("beforeunload", asks);
    dialog.addEventListener("close", () => {
      window.removeEventListener("beforeunload", asks);
      if (stayed) loadedAnewIfDead();
    });
  };
  /** Before its own reload Gradio stops to ask for anything: a page that stayed then does nothing more.
   *  Once nobody's work is in the way any more, it is loaded anew. */
  async function loadedAnewIfDead() {
    await studio.until(() => false, MOMENT); // what was held is kept first
    const asked = Date.now();
    studio.emit("ask-models");
    await studio.until(() => Math.max(joined, missed) >= asked, 3 * MOMENT);
    if (Math.max(joined, missed) < asked) location.reload();
  }

  const left = studio.noted(UNSENT);
  const words = { unheard: TEXT, lost: LOST, changed: CHANGED }[left];
  if (words) {
    studio.emit("unsent", { text: words });
    studio.noted(UNSENT, ""); // said once
  } else if (left)
    studio.filled.then(async () => {
      const pressed = heard;
      const goesOn = '#gs-progress .gs-progress:is([data-state="running"], [data-state="waiting"])';
      const found = await studio.until(() => document.querySelector(goesOn), FOUND);
      if (heard !== pressed || studio.noted(UNSENT) !== left) return; // another press since
      studio.noted(UNSENT, "");
      if (!found) studio.emit("unsent", { text: MAYBE });
    });

  // Once it knows that the server is away, Gradio does not even ask.
  const BUTTONS = [
    ...STARTS.map((name) => `button#gs-${name}, #gs-${name} > button`),
    ".gs-sweep-start",
    ".gs-search",
  ].join();
  /** Whether a press on one of Gradio's own buttons goes to the server. */
  function asksServer(button) {
    const { components = [], dependencies = [] } = window.gradio_config ?? {};
    const name = button?.closest("[id^=gs-]")?.id;
    const found = components.find(({ type, props }) => type === "button" && props.elem_id === name);
    const pressed = ([id, event]) => id === found?.id && event === "click";
    return dependencies.some((one) => one.backend_fn && one.targets.some(pressed));
  }
  document.addEventListener(
    "click",
    async ({ target }) => {
      const pressed = Date.now();
      if (!target.closest?.(BUTTONS)) {
        if (asksServer(target.closest?.("button"))) studio.altering();
        return;
      }
      studio.noted(UNSENT, "open"); // the page may be loaded anew before anything is known
      const told = () => heard >= pressed || failed >= pressed;
      // A request may have failed long ago, as while the machine slept: this one is given a moment.
      await studio.until(told, away ? MOMENT : PATIENCE);
      if (told()) return;
      if (away) say(TEXT);
      else studio.noted(UNSENT, ""); // nothing was asked
    },
    true,
  );

  const trained = studio.noted(TRAINING) || "";
  studio.noted(TRAINING, "");
  /** The training that went on when this page was left, as far as this tab saw it. */
  studio.trained = () => trained;
  function see() {
    const seen = document.querySelector("#gs-train-progress [data-training]");
    if (seen) studio.noted(TRAINING, seen.dataset.training);
  }
  const mounting = new MutationObserver(() => {
    const bar = document.getElementById("gs-train-progress");
    if (!bar) return;
    mounting.disconnect();
    const changes = { childList: true, subtree: true, attributeFilter: ["data-training"] };
    new MutationObserver(see).observe(bar.parentElement, changes);
    see();
  });

  document.addEventListener(
    "click",
    ({ target }) => {
      const tab = target.closest?.("#gs-tabs [role=tab]");
      if (tab?.dataset.tabId) studio.noted(TAB, tab.dataset.tabId);
      if (tab?.dataset.tabId === "train") studio.formChanged("looks");
    },
    true,
  );

  // Another page may have begun a training since this one was looked at, or ended one.
  let looked = 0;
  function look() {
    const shown = document.getElementById("gs-train-actions")?.offsetParent;
    if (document.hidden || !shown || Date.now() - looked < LOOKS) return;
    looked = Date.now();
    studio.formChanged("looks");
  }
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
  for (const comes of ["pointerover", "focusin"])
    document.addEventListener(comes, ({ target }) => {
      if (target.closest?.("#gs-train-actions")) look();
    });

  studio.filled.then(async () => {
    mounting.observe(document.body, { childList: true, subtree: true });
    const [entry] = performance.getEntriesByType("navigation");
    const id = entry?.type === "reload" ? studio.noted(TAB) : "";
    const open = () =>
      document.querySelector(`#gs-tabs [role=tab][data-tab-id="${id}"][aria-selected=true]`);
    // A press is swallowed where Gradio lays its tabs out anew in that moment.
    for (let tries = 0; id && id === studio.noted(TAB) && !open() && tries < 10; tries += 1) {
      studio.showTab(id);
      await new Promise((done) => setTimeout(done, 200));
    }
  });
})(window.studio);
