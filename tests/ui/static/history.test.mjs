// What of the history's grid is in sight, what is asked for, and where a zoom stays.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, loadBeside, loadIn, plain } from "./load.mjs";

test("only what is in sight is drawn, whatever the number of pictures", () => {
  const studio = load("history/grid.js");
  for (const total of [0, 1, 59, 50_000])
    for (const scroll of [0, 500, total * 20]) {
      const view = studio.windowOf(total, 4, 100, scroll, 600);
      assert.ok(view.to - view.from <= 4 * 12);
      assert.equal(view.height, Math.ceil(total / 4) * 100);
      assert.equal(view.top, (view.from / 4) * 100);
      const inSight = Math.floor(scroll / 100) * 4;
      if (inSight < total) assert.ok(view.from <= inSight && inSight < view.to);
    }
});

test("what is half typed of a picture goes on to the next page, once, but what cannot be kept", () => {
  const noted = {};
  const given = {
    noted: (name, ...value) => (value.length ? (noted[name] = value[0]) : noted[name] || ""),
  };
  const studio = loadBeside(given, "history/unkept.js");
  const field = (value, kept, wrong, said) => ({ value, kept, wrong: () => wrong, said });
  const fields = [
    field("a lucky", "", "", (note) => ({ note })),
    field("zebra", "zebra", "", (text) => ({ tags: text.split(",") })),
    field("x".repeat(101), "", "too long", (board) => ({ board })),
  ];
  const said = studio.unkeptOf(fields);
  assert.deepEqual(plain(said), { note: "a lucky" });
  studio.leaveUnkept("7", said);
  assert.deepEqual(plain(studio.takeUnkept()), { id: "7", said: { note: "a lucky" } });
  assert.equal(studio.takeUnkept(), null);
  studio.leaveUnkept("8", studio.unkeptOf(fields.slice(1)));
  assert.equal(studio.takeUnkept(), null);
});

test("changes that nobody answered are asked again by the next page, once, unless said to be lost", () => {
  const noted = {};
  const acts = {};
  let lost = false;
  const given = {
    noted: (name, ...value) => (value.length ? (noted[name] = value[0]) : noted[name] || ""),
    saidLost: () => lost,
  };
  const page = (unanswered) => {
    const asked = [];
    const window = { addEventListener: (name, act) => (acts[name] = act) };
    const studio = loadIn(window, given, "history/unkept.js");
    studio.keepsAsking(
      (request) => asked.push(plain(request)),
      () => unanswered,
    );
    return asked;
  };
  const star = { do: "mark", ids: ["a"], said: { starred: true } };
  const gone = { do: "delete", ids: ["b"] };
  page([star, { do: "page", about: "page 0" }, { ...gone, about: undefined }]);
  acts.pagehide();
  assert.deepEqual(page([star]), [star, gone]);
  lost = true;
  acts.pagehide();
  assert.deepEqual(page([star]), []);
  lost = false;
  acts.pagehide();
  acts.pageshow({ persisted: true }); // the page goes on with them itself
  assert.deepEqual(page([]), []);
});

test("each block is asked for once", () => {
  const studio = load("history/grid.js");
  assert.deepEqual(plain(studio.blocksOf(0, 40, new Set())), [0]);
  assert.deepEqual(plain(studio.blocksOf(50, 130, new Set([1]))), [0, 2]);
  assert.deepEqual(plain(studio.blocksOf(10, 10, new Set([0]))), []);
});

test("a zoom keeps its point in place and never leaves the frame", () => {
  const studio = load("zoom.js", "history/compare.js");
  const view = studio.zoomAt({ scale: 1, x: 0, y: 0 }, 2, 0.5, 0.25);
  assert.deepEqual(plain(view), { scale: 2, x: -0.5, y: -0.25 });
  const back = studio.zoomAt(view, 0.1, 0, 0);
  assert.deepEqual(plain(back), { scale: 1, x: 0, y: 0 });
});

test("two fingers zoom about what is between them, one moves, and neither leaves the frame", () => {
  const studio = load("zoom.js", "history/compare.js");
  const whole = { scale: 1, x: 0, y: 0 };
  const at = (x, y) => ({ x, y });
  const near = studio.pinched(whole, [at(0.4, 0.5), at(0.6, 0.5)], [at(0.3, 0.5), at(0.7, 0.5)]);
  assert.ok(Math.abs(near.scale - 2) < 1e-9);
  assert.ok(Math.abs(near.x + 0.5) < 1e-9 && Math.abs(near.y + 0.5) < 1e-9);
  const one = [at(0.5, 0.5), at(0.5, 0.5)];
  const moved = studio.pinched(near, one, [at(0.6, 0.4), at(0.6, 0.4)]);
  assert.ok(Math.abs(moved.x + 0.4) < 1e-9 && Math.abs(moved.y + 0.6) < 1e-9);
  assert.equal(moved.scale, near.scale);
  assert.deepEqual(plain(studio.pinched(near, one, [at(9, 9), at(9, 9)])), {
    ...plain(near),
    x: 0,
    y: 0,
  });
});

test("there is no way between a variation and another, nor between a seed and itself", () => {
  const { whyNotBetween } = load("history/compare.js");
  assert.equal(whyNotBetween([{ seed: 1 }, { seed: 2, varied: false }]), "");
  assert.equal(whyNotBetween([{ seed: 7 }, { seed: 7 }]), "Both have the seed 7.");
  assert.match(whyNotBetween([{ seed: 1, varied: true }, { seed: 2 }]), /is a variation/);
});

test("keys zoom about the middle and move within the frame", () => {
  const studio = load("zoom.js", "history/compare.js");
  const whole = { scale: 1, x: 0, y: 0 };
  const near = studio.zoomBy(studio.zoomBy(whole, "+"), "=");
  assert.ok(Math.abs(near.scale - 1.44) < 1e-9 && Math.abs(near.x + 0.22) < 1e-9);
  const moved = studio.zoomBy(near, "ArrowRight");
  assert.ok(Math.abs(moved.x + 0.32) < 1e-9 && moved.y === near.y);
  assert.ok(
    Math.abs(studio.zoomBy(studio.zoomBy(moved, "ArrowRight"), "ArrowRight").x + 0.44) < 1e-9,
  );
  assert.deepEqual(plain(studio.zoomBy(whole, "ArrowLeft")), whole);
  assert.deepEqual(plain(studio.zoomBy(moved, "0")), whole);
  assert.equal(studio.zoomBy(near, "a"), null);
});

test("where no picture is shown the page says why", () => {
  const { historyNone } = load("history/view.js");
  assert.match(historyNone({ sort: "newest" }), /No picture yet/);
  assert.match(historyNone({ sort: "newest", bin: true }), /bin is empty/);
  assert.match(historyNone({ sort: "newest", bin: true, text: "cat" }), /fits the search/);
  assert.match(historyNone({ sort: "newest", text: "cat CFG:7" }), /in “cfg:”, but in prompt: /);
  for (const text of ["-seed:7 steps:4", "https://a.example", "(cat:1.2)", "cfg: 7"])
    assert.match(historyNone({ sort: "newest", text }), /fits the search/, text);
});

test("a picture's own pixels are as large as the screen's, whichever side it fits by", () => {
  const { ownPixels } = load("zoom.js");
  assert.equal(ownPixels([2000, 1000], [500, 500]), 4);
  assert.equal(ownPixels([1000, 2000], [500, 500], 2), 2);
  assert.equal(ownPixels([256, 256], [512, 512]), 0.5);
});

test("what is chosen stays in its list when its last picture has gone, and can be taken back", () => {
  const { historyOptions } = load("history/filters.js");
  const boards = [["sea", 3]];
  const values = (chosen) => plain(historyOptions("Any board", boards, chosen)).map(([one]) => one);
  assert.deepEqual(values(undefined), ["", "sea"]);
  assert.deepEqual(values("sea"), ["", "sea"]);
  assert.deepEqual(plain(historyOptions("Any board", boards, "fog", 0)), [
    ["", "Any board"],
    ["sea", "sea (3)"],
    ["fog", "fog (0)"],
  ]);
  assert.equal(historyOptions("Any tag", boards, "fog", 5).at(-1)[0], null);
  const none = historyOptions("Any board", boards, "\n", 0, {}, "On no board");
  assert.deepEqual(plain(none).slice(0, 2), [
    ["", "Any board"],
    ["\n", "On no board"],
  ]);
  assert.equal(none.length, 3);
  const called = historyOptions("Any scheduler", [["euler", 2]], "", 0, { euler: "Euler" });
  assert.deepEqual(plain(called.at(-1)), ["euler", "Euler (2)"]);
  const odd = historyOptions("Any tag", [["constructor", 1]], "", 0);
  assert.deepEqual(plain(odd.at(-1)), ["constructor", "constructor (1)"]);
});

test("a tag that is called as a scheduler is shown as it is", () => {
  const shown = {};
  const el = (name, { "aria-label": label } = {}, ...nodes) => ({
    replaceChildren: (...options) => (shown[label] = options.map(({ text }) => text)),
    text: nodes.at(-1),
  });
  const { historyFilters } = loadBeside({ el }, "history/filters.js");
  const some = [["euler", 2]];
  const kinds = ["models", "presets", "boards", "sizes", "scores"];
  historyFilters(() => {}).offer({
    ...Object.fromEntries(kinds.map((kind) => [kind, []])),
    ...{ tags: some, schedulers: some, more: {} },
    titles: { schedulers: { euler: "Euler" } },
  });
  assert.deepEqual([shown.Tag.at(-1), shown.Scheduler.at(-1)], ["euler (2)", "Euler (2)"]);
});

function actionsOf(given, tools) {
  const bar = { replaceChildren: (...words) => (bar.words = words) };
  const known = {
    el: (name, { class: of }, text) => (of?.includes("actions") ? bar : text),
    word: (label, act, more = {}) => ({ label, act, ...more }),
    asText: JSON.stringify,
    ...given,
  };
  const bounds = { sheet: 3, animation: 3 };
  const { historyActions } = loadBeside(known, "history/actions.js");
  const { draw } = historyActions({
    ask() {},
    bounds,
    query: () => ({}),
    total: () => 9,
    ...tools,
  });
  return (count, name) => {
    draw(Array.from({ length: count }, String), 0);
    return bar.words.find(({ label }) => label === name);
  };
}

test("more than a sheet holds, or an animation, cannot be put on one", () => {
  const action = actionsOf({}, {});
  for (const name of ["Download as one picture", "Download as animation …"]) {
    const disabled = (count) => action(count, name).disabled;
    assert.deepEqual([1, 2, 3, 4].map(disabled), [true, false, false, true], name);
  }
});

test("tags for several pictures are refused where none is written", async () => {
  const asked = [];
  const said = {};
  const askTexts = async ({ refuse }) => {
    for (const text of ["", " , ,", "-", "−, "]) said[text] = refuse({ more_tags: text });
    assert.equal(refuse({ more_tags: "fast, -slow" }), "");
    return { more_tags: "fast,, -slow , -" };
  };
  const tagsIn = (text) => text.split(",");
  const given = { askTexts, tagsIn, checkTags: () => "", picturesInWords: String };
  const action = actionsOf(given, { ask: (request) => asked.push(request), offered: () => [] });
  await action(2, "Tag …").act();
  assert.deepEqual([...new Set(Object.values(said))], ["needs a tag, or -tag"]);
  assert.deepEqual([...asked[0].said.more_tags], ["fast", "-slow"]);
});

test("where no picture is found nothing can be done with all of them, and the buttons say so", () => {
  const [asked, why] = [[], {}];
  let found = 0;
  const action = actionsOf(
    { stops: (node, said) => (why[node.label] = said) },
    {
      ask: (request) => asked.push(request.do),
      total: () => found,
      chooseAll: () => asked.push(""),
    },
  );
  const names = ["Choose all", "Download all found as ZIP", "Delete all found but starred"];
  for (const name of names) {
    action(0, name).act();
    assert.equal(why[name], "No picture is found.");
  }
  assert.deepEqual(asked, []);
  found = 9;
  action(0, names[1]).act();
  assert.deepEqual([asked, Object.values(why)], [["zip"], ["", "", ""]]);
  assert.match(action(0, names[0]).title, /^One by one/);
});

test("the bar of what is chosen stays until others are, so that a dialog leads back to its button", () => {
  let shown = {};
  const action = actionsOf({}, { query: () => shown });
  const compare = action(2, "Compare");
  assert.equal(action(2, "Compare"), compare);
  assert.notEqual(action(3, "Compare"), compare);
  shown = { bin: true };
  assert.equal(action(3, "Bring back").label, "Bring back");
  shown = { starred: true };
  assert.equal(action(3, "Take the star away").label, "Take the star away");
});

test("what takes a while for very many pictures is said at once", () => {
  const [said, asked] = [[], []];
  const action = actionsOf(
    { toast: (text) => said.push(text) },
    { ask: (request) => asked.push(request.do), chooseNone() {} },
  );
  action(3, "Delete").act();
  assert.deepEqual([said, asked], [[], ["delete"]]);
  action(6000, "Delete").act();
  action(6000, "Download ZIP").act();
  assert.deepEqual(said, Array(2).fill("6000 pictures: this takes a moment …"));
  assert.deepEqual(asked, ["delete", "delete", "zip"]);
});
