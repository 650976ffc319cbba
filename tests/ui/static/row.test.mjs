import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load(
  "numbers.js",
  "row/schema.js",
  "row/model_parts.js",
  "row/prompt_text.js",
  "row/brought.js",
  "row/tokens.js",
  "row/crowded.js",
  "row/curve_shape.js",
  "row/control_choices.js",
);

studio.served = { ...studio.served, adapters: ["lora", "custom-diffusion"] };

// -- models -----------------------------------------------------------------------------------
const KINDS = { a: "lora", net: "finetune", word: "embedding" };
const parts = (model) => plain(studio.modelParts(model, (id) => KINDS[id]));

test("an id alone is the part that the library says it is", () => {
  assert.equal(parts("a").lora, "a");
  assert.equal(parts("net").model, "net");
  assert.deepEqual(parts("word").embeddings, ["word"]);
  assert.equal(parts(null).lora, null);
});

test("the model is kept in its shortest form", () => {
  const of = (changes) => plain(studio.modelOf({ ...parts(null), ...changes }));
  assert.equal(of({}), null);
  assert.equal(of({ model: "net" }), "net");
  assert.deepEqual(of({ lora: "a", strength: 1 }), { lora: "a", strength: 1 });
  assert.deepEqual(of({ loras: [{ lora: "b", strength: 0.4 }] }), { lora: "b", strength: 0.4 });
  assert.deepEqual(of({ lora: "a", model: "net" }), { lora: "a", strength: 1, model: "net" });
});

test("what is taken apart comes together again", () => {
  const model = { lora: "a", strength: 0.5, loras: [{ lora: "b", strength: 1 }], model: "net" };
  assert.deepEqual(plain(studio.modelOf(parts(model))), model);
});

// -- prompts ----------------------------------------------------------------------------------
test("a plain prompt is split at style and background, and joined again", () => {
  const split = "a rocket AND in noto style AND on a blue background";
  assert.equal(studio.proposeSplit("a rocket in noto style on a blue background"), split);
  assert.equal(studio.proposeSplit(split), "a rocket in noto style on a blue background");
  assert.equal(studio.proposeSplit("a cat, a dog"), "a cat AND a dog");
});

test("a negative prompt of scale w is a row of weight −(w − 1)", () => {
  const row = plain(studio.negativeOf({ prompt: "cat", weight: 7.5 }, "blurry"));
  assert.deepEqual(row, { prompt: "blurry", weight: -6.5 });
});

test("a preset's JSON, and another tool's, is told from a prompt", () => {
  const named = (text) => studio.broughtBy(text)?.name;
  assert.equal(named(' {"name": "x", "rows": [{"prompt": "a cat"}]}\n'), "preset.json");
  for (const text of [
    '{"3": {"class_type": "KSampler"}, "4": {}}',
    '{"prompt": {"3": {"class_type": "KSampler"}}}',
    '{"sui_image_params": {"prompt": "a cat"}}',
    '{"nodes": [], "links": []}',
    '{"prompt": "a cat", "num_inference_steps": "20"}',
  ])
    assert.equal(named(text), "graph.json");
  const prompts = ['{"subject": "a cat", "camera": {"angle": "low"}}', '{"prompt": "x"}'];
  assert.ok(prompts.every((text) => named(text) === undefined));
  assert.ok(['{"rows": 3}', '{a|"rows"}', "a cat"].every((text) => !studio.broughtBy(text)));
});

test("a text with a picture's settings is told from a prompt", () => {
  const settings = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512";
  assert.ok(studio.holdsSettings(`a cat\nNegative prompt: blurry\n${settings}`));
  assert.ok(studio.holdsSettings(`a cat ${settings}`)); // a field of one line takes line breaks away
  assert.ok(!studio.holdsSettings("a flight of stairs, Steps: many, Size: large"));
});

test("other tools' syntax is answered with a hint", () => {
  studio.served.hints = [["<lora:[^<>]{1,300}>", "choose it in the model list"]];
  assert.match(studio.foreignHints("a <LoRA:hero:0.8> cat")[0], /model list/);
  assert.equal(studio.foreignHints("a (cat:1.2) <hero> AND a dog").length, 0);
});

test("tokens are counted by part and by window", () => {
  const counted = (text, limit) => plain(studio.tokenCount(text, limit));
  assert.deepEqual(counted("a red cat", 2), {
    longest: 3,
    total: 3,
    parts: 1,
    over: [{ start: 6, end: 9 }],
  });
  const { longest, parts, over } = counted("a cat BREAK a big dog AND (sky:1.2) BREAK", 2);
  assert.deepEqual({ longest, parts }, { longest: 3, parts: 3 });
  assert.deepEqual(over, [{ start: 18, end: 21 }]);
  assert.deepEqual(counted("", 77), { longest: 0, total: 0, parts: 1, over: [] });
});

const shipped = JSON.parse(
  readFileSync(new URL("../../../assets/starter-1/vocabulary.json", import.meta.url), "utf8"),
);
const vocabulary = { ...shipped, phrases: shipped.groups.flatMap((group) => group.phrases) };
const unknown = (text, more) =>
  studio.unknownWords(text, vocabulary, more).map(({ word, start }) => [word, start]);

test("words of no known phrase are found with their places", () => {
  assert.deepEqual(plain(unknown("a cat astronaut on the moon")), [["cat", 2]]);
  assert.deepEqual(plain(unknown("a cat face in flat style on a blue background")), []);
  assert.deepEqual(plain(unknown("two red apples AND in glossy style")), []);
  assert.deepEqual(plain(unknown("a __castle/old__ ghost and a castle")), [["castle", 29]]);
  assert.deepEqual(plain(unknown("a __große/hüte__ ghost and a __قبعة__")), []);
  assert.deepEqual(plain(unknown("a <hero> ghost")), [["<hero>", 2]]);
  assert.deepEqual(plain(unknown("a <hero> ghost", ["<hero>"])), []);
});

test("two things for a base that draws one are told, whatever joins or divides them is not", () => {
  const second = JSON.parse(
    readFileSync(new URL("../../../assets/starter/vocabulary.json", import.meta.url), "utf8"),
  );
  const known = { ...second, phrases: second.groups.flatMap((group) => group.phrases) };
  const crowded = (text) => plain(studio.crowded(text, known));
  assert.deepEqual(crowded("a cat astronaut on the moon"), ["cat", "astronaut"]);
  assert.deepEqual(crowded("a dog and two red apples"), ["dog", "apples"]);
  assert.deepEqual(crowded("a cat left of an apple above a car"), ["cat", "apple"]);
  for (const fine of [
    "a cat left of an apple",
    "a cat face wearing a crown in flat style",
    "a sun hat on a sky background",
    "three apples in tweet style",
    "an apple AND a cat",
    "[cat:dog:0.5]",
    "{cat|dog}",
    "a cat beside a cat",
    "a short man",
    "a glass house",
    "an orange cat",
    "a moon_cat",
    "__cat__ astronaut",
  ])
    assert.equal(crowded(fine), null, fine);
  assert.equal(studio.crowded("a robot fox", known, ["robot fox"]), null); // called so by a LoRA
  assert.equal(studio.crowded("a cat astronaut", vocabulary), null); // the first edition says nothing
});

test("other words for a content are known, and near", () => {
  const wider = { ...vocabulary, also: { puppies: "dog face", automobile: "car" } };
  const text = "puppies and an automobile";
  assert.deepEqual(plain(studio.unknownWords(text, wider)), []);
  assert.deepEqual(plain(studio.unknownWords("2-3 {1-2$$ $$}", wider)), []); // counts are no words
  assert.equal(studio.unknownWords(text, vocabulary).length, 2);
  assert.equal(studio.nearest("automobil", wider)[0], "automobile");
});

test("emoji are words, whole", () => {
  const words = (text) => plain(studio.wordsIn(text).map(({ word }) => word));
  assert.deepEqual(words("a 🐱🐱 cat 👩🏽‍🚀!❤️ 🇩🇪"), ["a", "🐱", "🐱", "cat", "👩🏽‍🚀", "❤️", "🇩🇪"]);
  assert.deepEqual(words("القِطّة 3 #1"), ["القِطّة", "3", "1"]);
});

test("the nearest known phrases hold the word, mean it, or are spelled like it", () => {
  assert.deepEqual(plain(studio.nearest("cat", vocabulary)), ["cat face"]);
  assert.deepEqual(plain(studio.nearest("spaceship", vocabulary)), ["rocket", "ufo"]);
  assert.equal(studio.nearest("rockett", vocabulary)[0], "rocket");
  assert.deepEqual(plain(studio.nearest("qwertyuiop", vocabulary)), []);
});

test("distances are those of Levenshtein, cut at a limit", () => {
  assert.equal(studio.distance("kitten", "sitting"), 3);
  assert.equal(studio.distance("a", "abcdef"), 4);
});

// -- curves -----------------------------------------------------------------------------------
const shapes = { rising: [0, 0.5, 1] };

test("a curve is 0 outside its range and interpolated inside", () => {
  const factor = (curve, at, range = [0, 1]) => studio.curveFactor(curve, at, range, shapes);
  assert.equal(factor("rising", 0.25), 0.25);
  assert.equal(factor("rising", 0.5, [0.5, 1]), 0);
  assert.equal(factor("rising", 0.75, [0.5, 1]), 0.5);
  assert.equal(factor("rising", 0.2, [0.5, 1]), 0);
  const points = [
    [0.2, 1],
    [0.6, 3],
  ];
  assert.deepEqual(
    [0, 0.4, 1].map((at) => factor(points, at)),
    [1, 2, 3],
  );
});

test("points are read only where they rise and are allowed", () => {
  const read = (text) => plain(studio.parsePoints(text, { low: 0, high: 1 }, { low: 0, high: 10 }));
  assert.deepEqual(read("0:0, 0.4:1; 1:0.5"), [
    [0, 0],
    [0.4, 1],
    [1, 0.5],
  ]);
  for (const text of ["0:0; 0,5:1; 1:1,5", "0:0 0,5:1 1:1,5", "0:0, 0,5:1, 1:1,5"])
    assert.deepEqual(
      read(text),
      [
        [0, 0],
        [0.5, 1],
        [1, 1.5],
      ],
      text,
    );
  assert.deepEqual(read("0:0,0.4:1,1:0.5"), read("0:0, 0.4:1, 1:0.5"));
  for (const text of ["", "0.4:1, 0.2:1", "0:11", "1.2:1", "0", "a:b", "0:", "0,5:1,0:1"])
    assert.equal(read(text), null, text);
});

// -- rows -------------------------------------------------------------------------------------
test("a new row begins at the schema's weight, at 1 beside others", () => {
  studio.served.blank = { weight: 5, prompt: "" };
  assert.equal(studio.firstWeight(0), 5);
  assert.equal(studio.firstWeight(3), 1);
  assert.deepEqual(plain(studio.fullRow({ prompt: "x" })), { weight: 5, prompt: "x" });
});

test("a nested field is changed without touching the rest", () => {
  const row = { apg: { eta: 1, momentum: 0 }, weight: 2 };
  assert.deepEqual(studio.at(row, "apg.eta"), 1);
  assert.deepEqual(plain(studio.withAt(row, "apg.eta", 0.5)), {
    apg: { eta: 0.5, momentum: 0 },
    weight: 2,
  });
  assert.equal(row.apg.eta, 1);
});

// -- control images ---------------------------------------------------------------------------
const PREPROCESSORS = [
  ["canny", "Edges (Canny)", "Hard edges as thin lines."],
  ["toy", "Toy", "Nobody's."],
  ["map", "Finished map", "The picture is the map."],
];
const net = (id, more) => ({ id, kind: "controlnet", family: "sd", base: "", ...more });
const LIBRARY = [
  { id: "base", kind: "base", family: "sd" },
  net("general", { control: "canny" }),
  net("other", { control: "canny", family: "xl" }),
  net("broken", { control: "canny", problem: "no weights" }),
  net("own", { control: "canny", base: "base" }),
  net("theirs", { control: "canny", base: "another" }),
];
const NETS = studio.controlNets(LIBRARY, "base");

test("a base's own ControlNets come before its family's, and no others", () => {
  assert.deepEqual(plain(NETS.map(({ id }) => id)), ["own", "general"]);
});

test("the readings are the table's, those first that a ControlNet has by itself", () => {
  const groups = plain(studio.readings(PREPROCESSORS, NETS, "canny"));
  assert.deepEqual(groups[0].options, [
    { value: "canny", text: "Edges (Canny)", title: "Hard edges as thin lines." },
  ]);
  assert.deepEqual(
    groups[1].options.map(({ value }) => value),
    ["toy", "map"],
  );
  const lost = plain(studio.readings(PREPROCESSORS, NETS, "gone"));
  assert.equal(lost[1].options.at(-1).value, "gone");
});

test("another reading keeps the ControlNet in use where it has none by itself", () => {
  studio.served.thresholds = ["canny"];
  const first = plain(studio.firstControl(PREPROCESSORS, NETS));
  assert.deepEqual(first, { type: "canny", image: "", strength: 1, model: null });
  const map = plain(studio.withType({ ...first, model: "general" }, "map", NETS));
  assert.deepEqual([map.type, map.model], ["map", "general"]);
  assert.equal(plain(studio.withType(first, "toy", NETS)).model, "own");
  assert.equal(plain(studio.withType(map, "canny", NETS)).model, null);
  const edges = { ...first, type: "canny", low: 20 };
  assert.equal(studio.withType(edges, "canny", NETS).low, 20);
  assert.ok(!("low" in studio.withType(edges, "map", NETS))); // which has none
});

test("a row's controls are told apart by their places", () => {
  studio.served.thresholds = ["canny"];
  const [one, two] = [
    { type: "canny", image: "a" },
    { type: "map", image: "a" },
  ];
  const row = { control: one, controls: [two] };
  assert.deepEqual(plain(studio.controlsOf({ control: null })), []);
  assert.deepEqual(plain(studio.withControl(row, 0, null)), { control: two, controls: [] });
  assert.deepEqual(plain(studio.withControl(row, 1, null)), { control: one, controls: [] });
  assert.deepEqual(plain(studio.withControl(row, 2, one)), { control: one, controls: [two, one] });
  const last = { control: null, controls: [] };
  assert.deepEqual(plain(studio.withControl({ control: one }, 0, null)), last);
  const nets = [...NETS, net("toys", { control: "toy" })];
  const next = (all) => plain(studio.nextControl(all, PREPROCESSORS, nets));
  assert.deepEqual([next([one]).type, next([one]).image], ["toy", "a"]); // which one here reads by itself
  assert.equal(next([{ type: "toy", image: "a" }, one]).type, "canny");
});

test("a network that is no plain ControlNet says what it is", () => {
  const nets = [net("own", {}), net("pose", { title: "Pose", form: "T2I-Adapter" })];
  const options = plain(studio.netOptions(nets, "canny", "own"));
  assert.deepEqual(
    options.map(({ text }) => text),
    ["own", "Pose (T2I-Adapter)"],
  );
});

test("a ControlNet is chosen by id, or by what it reads", () => {
  const values = (...given) => plain(studio.netOptions(...given).map(({ value }) => value));
  assert.deepEqual(values(NETS, "canny", null), ["", "own", "general"]);
  assert.deepEqual(values(NETS, "map", "own"), ["own", "general"]);
  assert.deepEqual(values(NETS, "map", "away"), ["own", "general", "away"]);
  assert.equal(studio.netOptions(NETS, "map", null)[0].text, "none yet");
});

test("a phrase that is pressed for an unknown word takes in what of it stands there already", () => {
  const studio = load("row/prompt_text.js");
  const put = (text, word, phrase) => {
    const start = text.indexOf(word);
    const found = studio.withPhrase(text, { start, end: start + word.length }, phrase);
    assert.equal(found.text.slice(0, found.caret).endsWith(phrase), true);
    return found.text;
  };
  const text = "a castel in flat stile on a gren background, red";
  assert.equal(put(text, "stile", "in flat style"), text.replace("stile", "style"));
  assert.equal(put(text, "gren", "on a green background"), text.replace("gren", "green"));
  assert.equal(put(text, "castel", "castle"), text.replace("castel", "castle"));
  assert.equal(put("a rocet", "rocet", "in flat style"), "a in flat style");
});

test("what is called by a name is found by it, and by its text", () => {
  const noir = { name: "Noir", text: "as a film of 1948" };
  const found = (text) => studio.completions(text, text.length, ["a cat", noir])?.options;
  assert.deepEqual([...found("a dog, no")], [noir]);
  assert.deepEqual([...found("as a f")], [noir]);
  assert.equal(found("a dog, xy"), undefined);
});
