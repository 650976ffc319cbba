// When a long run ends: a sound, and a notification where the page is out of sight. While it lasts the
// tab's title says how far it is.
(function (studio) {
  "use strict";

  /**
   * Sees the states of a progress bar as they come.
   * @param tools now() in milliseconds; preferences(); hidden(): whether the page is out of sight;
   *   sound(failed); notify(text)
   */
  studio.runEnds = function ({ now, preferences, hidden, sound, notify }) {
    let began = null;
    let last = null; // what the bar said before
    return function see(state, text) {
      const before = last;
      last = `${state} ${text}`;
      if (state === "running") {
        began ??= now();
        return;
      }
      if (state === "waiting") return;
      // A short run may end between two looks.
      const quick = before !== null && before !== last;
      const from = began ?? (quick ? now() : null);
      began = null;
      if (from === null || (state !== "done" && state !== "failed")) return;
      const { sounds, notifications, long_run: least } = preferences();
      if (now() - from < least * 1000) return;
      if (sounds) sound(state === "failed");
      if (notifications && hidden()) notify(text);
    };
  };

  /**
   * What the tab is called: while a run lasts, and until somebody has seen that it ended.
   * Answers a function of the bars, {state, percent}, and of whether the page is out of sight.
   */
  studio.tabTitle = function (name) {
    let [ran, ended] = [-1, ""]; // the bar that ran last, and what it came to
    return function title(bars, hidden) {
      const runs = bars.findIndex(({ state }) => state === "running");
      if (!hidden) ended = "";
      if (runs >= 0) {
        [ran, ended] = [runs, ""];
        return `${bars[runs].percent} % · ${name}`;
      }
      if (bars.some(({ state }) => state === "waiting")) return `… · ${name}`;
      if (ran >= 0 && hidden) ended = bars[ran]?.state === "failed" ? "! " : "✓ ";
      ran = -1;
      return `${ended}${name}`;
    };
  };

  /** Two short tones, up; down for a run that failed. Nothing is fetched. */
  studio.playEnd = function (failed) {
    const Audio = window.AudioContext || window.webkitAudioContext;
    if (!Audio) return;
    const audio = new Audio();
    const tones = failed ? [440, 330] : [523, 784];
    tones.forEach((hertz, index) => {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      const at = audio.currentTime + index * 0.16;
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.12, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.3);
      if (index === tones.length - 1) tone.onended = () => audio.close();
    });
  };

  function notify(text) {
    if (window.Notification?.permission !== "granted") return;
    const note = new Notification("Guidance Studio", { body: text });
    note.onclick = () => {
      window.focus();
      note.close();
    };
  }

  if (!window.document) return; // the tests of what is above need no page
  const PLACES = ["gs-progress", "gs-train-progress"];
  const WORKS = ["Sweep", "Search for ω"]; // beside them, without a bar of their own here
  const tools = {
    now: () => performance.now(),
    preferences: () => studio.preferences(),
    hidden: () => document.hidden || !document.hasFocus(),
    sound: (failed) => studio.playEnd(failed),
    notify,
  };
  const seers = PLACES.map(() => studio.runEnds(tools));
  const title = studio.tabTitle("Guidance Studio");
  const works = new Map(WORKS.map((name) => [name, { see: studio.runEnds(tools) }]));
  studio.on("work", ({ name, state, text, percent }) => {
    const work = works.get(name);
    Object.assign(work, { state, percent });
    work.see(state, studio.say(`${name}: ${text}`));
    look();
  });
  function look() {
    const bars = PLACES.map((place) => document.querySelector(`#${place} .gs-progress`));
    bars.forEach((bar, index) => bar && seers[index](bar.dataset.state, bar.textContent.trim()));
    const states = bars.map((bar) => ({
      state: bar?.dataset.state,
      percent: bar?.getAttribute("aria-valuenow"),
    }));
    const called = title([...states, ...works.values()], tools.hidden());
    if (document.title !== called) document.title = called;
  }
  for (const seen of ["focus", "visibilitychange"]) window.addEventListener(seen, look, true);
  function begin() {
    const right = document.getElementById("gs-right");
    if (!right) {
      requestAnimationFrame(begin);
      return;
    }
    new MutationObserver(look).observe(right, { childList: true, subtree: true });
    look();
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})(window.studio);
