// The page's texts in another language: which message fits, what stays a person's own, which language.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("language/messages.js");
const MESSAGES = {
  Save: "Speichern",
  Theme: "Farbschema",
  "seed {n}": "Seed {n}",
  "Step {n}": "Schritt {n}",
  "{n} passes": "{n} Durchläufe",
  "Delete {name}": "{name} löschen",
  "row {n}: {name}": "Zeile {n}: {name}",
  "for {one_name}": "für {one_name}",
  "Put {the_setting} back": "{the_setting} zurücksetzen",
  "from {n} to {m}": "von {n} bis {m}",
  "Used from the next start.": "Ab dem nächsten Start.",
  "Press **Save** (or `Ctrl+S`).": "**Speichern** drücken (oder `Ctrl+S`).",
};
const say = studio.translator(MESSAGES);

test("a text is a message as a whole, spaces around it stay", () => {
  assert.equal(say("Save"), "Speichern");
  assert.equal(say("  Save\n"), "  Speichern\n");
  assert.equal(say("Used from\n   the next start."), "Ab dem nächsten Start.");
  for (const text of ["Saved", "save", "", " ", "3 × 4", "constructor", "toString"])
    assert.equal(say(text), null, text);
});

test("a message without a full stop is one at the end of a sentence too", () => {
  assert.equal(say("seed 3."), "Seed 3.");
  assert.equal(say("for him · Step 2."), "für him · Schritt 2.");
  assert.equal(say("Save..."), null);
});

test("numbers and names are carried over; a person's word is not a message", () => {
  assert.equal(say("seed −3"), "Seed −3");
  assert.equal(say("seed three"), null);
  assert.equal(say("Delete Save"), "Save löschen");
  assert.equal(say("Delete $& {n}"), "$& {n} löschen");
  assert.equal(say("row 2: Save · Theme"), "Zeile 2: Save · Theme");
  assert.equal(say("Put Theme back"), "Farbschema zurücksetzen");
});

test("facts, sentences and labels are turned one by one, what is not known stays and is told", () => {
  const gaps = [];
  const strict = studio.translator(MESSAGES, (piece) => gaps.push(piece));
  assert.equal(strict("Step 3/25 · 7 passes"), "Schritt 3/25 · 7 Durchläufe");
  assert.equal(strict("for starter · 16.1 MB"), "für starter · 16.1 MB");
  assert.equal(strict("Theme: from 1 to 5"), "Farbschema: von 1 bis 5");
  assert.equal(
    strict("Nobody knows. Used from the next start."),
    "Nobody knows. Ab dem nächsten Start.",
  );
  assert.deepEqual(gaps, ["16.1 MB", "Nobody knows."]);
  assert.equal(strict("nothing · of this"), null);
});

test("a field before a refusal that begins with a value is turned too", () => {
  const rule = "allowed are assets/… and data:image/… and paths beside it";
  const refuses = studio.translator({
    ...MESSAGES,
    "row {n}, {the_field}": "Zeile {n}, {the_field}",
    mask: "Maske",
    "{name} may not be read; {the_rule}": "{name} darf nicht gelesen werden; {the_rule}",
    [rule]: "erlaubt ist dies",
  });
  assert.equal(
    refuses(`row 1, mask: 'a: b' may not be read; ${rule}`),
    "Zeile 1, Maske: 'a: b' darf nicht gelesen werden; erlaubt ist dies",
  );
});

test("a note on a row that begins with a name is turned with its row", () => {
  const notes = { "row {n}": "Zeile {n}", "{name} changes a picture.": "{name} ändert ein Bild." };
  const told = studio.translator({ ...MESSAGES, ...notes });
  assert.equal(told("row 1: base/edit changes a picture."), "Zeile 1: base/edit ändert ein Bild.");
  assert.equal(told("row 2: Save"), "Zeile 2: Save");
  assert.equal(told("Save: x changes a picture."), "Save: x ändert ein Bild."); // is called so
});

test("a field is told from a name in brackets, and from several texts of their own", () => {
  const say = studio.translator({
    Steps: "Schritte",
    folders: "Ordner",
    "{name} takes at most {n} steps": "{name} nimmt höchstens {n} Schritte",
    "{name} is not there": "{name} gibt es nicht",
    "{name} is no path": "{name} ist kein Pfad",
  });
  assert.equal(
    say("Steps: LCM (lcm) takes at most 8 steps"),
    "Schritte: LCM (lcm) nimmt höchstens 8 Schritte",
  );
  assert.equal(
    say("folders: '/a' is not there · 'b' is no path"),
    "Ordner: '/a' gibt es nicht · 'b' ist kein Pfad",
  );
});

test("a value may be a word of the page's own; a person's stays", () => {
  const told = studio.translator({ "was {word_before}": "war {word_before}", none: "nichts" });
  assert.equal(told("was none"), "war nichts");
  assert.equal(told("was “none”"), "war “none”");
});

test("from right to left a number keeps its sign before it", () => {
  const mirrored = studio.translator(MESSAGES, null, "\u200e");
  assert.equal(mirrored("seed −3"), "Seed \u200e−3");
  assert.equal(mirrored("seed 3"), "Seed 3");
  assert.equal(mirrored("−3: from 0 to 4"), "\u200e−3: von 0 bis 4");
});

test("in prose a number has the decimals of the language", () => {
  const german = studio.translator(
    {
      ...MESSAGES,
      "{n} s": "{n} s",
      "ω {n}": "ω {n}",
      "{the_field}: {word_before} → {word_after}": "{the_field}: {word_before} → {word_after}",
      "{name} is here": "{name} ist da",
    },
    null,
    "",
    ",",
  );
  assert.equal(german("seed −3.25"), "Seed −3,25");
  assert.equal(german("7 passes · 3.8 s"), "7 Durchläufe · 3,8 s");
  assert.equal(german("Theme: from 0.5 to 1.25"), "Farbschema: von 0,5 bis 1,25");
  assert.equal(german("Theme: 3 → 4.5"), "Farbschema: 3 → 4,5");
  assert.equal(german("7 passes · 16.1 MB"), "7 Durchläufe · 16,1 MB"); // a unit that is no message
  assert.equal(german("ω 0.3–0.6"), "ω 0,3–0,6");
  for (const typed of ["0:0.5", "2.10.1", "1/2.5"])
    assert.equal(german(`ω ${typed}`), `ω ${typed}`);
  assert.equal(german("sd-1.5 is here"), "sd-1.5 ist da");
  assert.equal(german("1.5 is here"), "1.5 ist da"); // a name
  assert.deepEqual(["de", "en", "ar"].map(studio.pointOf), [",", ".", "."]);
});

test("a number that is said alone has the language's decimals", () => {
  for (const [typed, said] of Object.entries({ 0.75: "0,75", "-0.09": "-0,09", "−1.5": "−1,5" }))
    assert.equal(studio.sayNumeral(typed, "de"), said);
  assert.equal(studio.sayNumeral("0.75", "ar"), "0.75");
  for (const other of ["7", "1.2.3", "sd-1.5", "0.5, 1.5"])
    assert.equal(studio.sayNumeral(other, "de"), other);
});

test("a word behind a number agrees with it", () => {
  const file = new URL("../../../studio/languages/ar.json", import.meta.url);
  const { messages, counted } = JSON.parse(readFileSync(file));
  const count = studio.counter("ar", counted);
  const arabic = studio.translator(messages, null, "", ".", count);
  const [singular, plural] = ["صورة", "صور"];
  for (const number of ["3", "10", "104"])
    assert.equal(arabic(`${number} images`), `${number} ${plural}`);
  for (const number of ["11", "99", "100", "1000"])
    assert.equal(arabic(`${number} images`), `${number} ${singular}`);
  assert.equal(arabic("25 steps"), "25 خطوة");
  assert.equal(arabic("3 of 12 images"), `3 من 12 ${singular}`);
  assert.equal(arabic("12 files"), "12 ملفًا");
  assert.equal(count("none such", "12"), "none such");
  assert.equal(count(plural, "1.5"), plural);
});

function inGerman() {
  const file = new URL("../../../studio/languages/de.json", import.meta.url);
  return studio.translator(JSON.parse(readFileSync(file)).messages, null, "", ",");
}

test("a search's picture says its setting in the page's words", () => {
  assert.equal(
    inGerman()("Picture 3 of 12: ω 0.4 · row 2 × 3.5"),
    "Bild 3 von 12: ω 0,4 · Zeile 2 × 3,5",
  );
});

test("what was given is written as the bound beside it; a text in quotes stays", () => {
  const german = inGerman();
  const field = german("Steps");
  const at = (got) => german(`Steps: must be at most 0.5, got ${got}`);
  assert.equal(at("0.9"), `${field}: darf höchstens 0,5 sein, gegeben 0,9`);
  for (const got of ["'0.9'", "[0.1, 0.9]"])
    assert.equal(at(got), `${field}: darf höchstens 0,5 sein, gegeben ${got}`);
});

test("what a number is to be written as can be typed so", () => {
  const { checkNumber } = load("numbers.js");
  const field = { kind: "number", low: -5000, high: 5000 };
  const german = inGerman();
  for (const typed of ["1,234", "−2,500", "1,050"]) {
    const said = german(checkNumber(field, typed).error);
    const [, whole, decimal] = said.match(/kann (\S+) oder (\S+) heißen/);
    for (const one of [whole, decimal])
      assert.deepEqual(plain(checkNumber(field, one)), {
        value: Number(one.replace("−", "-")),
        error: "",
      });
  }
});

test("marked words keep their marks", () => {
  const text = "Press **Save** (or `Ctrl+S`).";
  assert.equal(studio.markedText(studio.markedPieces(text)), text);
  assert.equal(say(text), "**Speichern** drücken (oder `Ctrl+S`).");
  assert.deepEqual(plain(studio.markedPieces("2 * 3 is *w*")), [
    { kind: "", text: "2 * 3 is *w*".slice(0, 9) },
    { kind: "em", text: "w" },
  ]);
});

test("the language is this browser's choice, else the setting's, else what the system asks for", () => {
  const offered = ["en", "de", "pt-BR"];
  for (const [own, setting, wanted, tag] of [
    ["de", "en", ["en"], "de"],
    [null, "de", ["en"], "de"],
    [null, "auto", ["fr", "de-AT", "en"], "de"],
    [null, "auto", ["pt-BR"], "pt-BR"],
    [null, "auto", ["fr"], "en"],
    ["gone", "gone", [], "en"],
  ])
    assert.equal(studio.languageOf({ own, setting, wanted, offered }), tag);
});

test("a moment is written in the page's language, in the browser's kind of it", () => {
  const noon = new Date(2026, 10, 29, 18, 21, 18).getTime() / 1000;
  const said = (...given) => studio.momentIn(noon, ...given).replace(/[\u200e\u200f\u202f]/g, "");
  assert.match(said("de", ["en-US"]), /^29\.11\.2026, 18:21:18$/);
  assert.match(said("en", ["de-DE", "en-GB"]), /^29\/11\/2026, 18:21:18$/);
  assert.match(said("en", ["de"]), /^11\/29\/2026, /);
  assert.match(said("ar", ["en"]), /29.*11.*2026/); // the digits of the rest of the page
});

test("no script writes a moment or a number by the browser's language alone", () => {
  const folder = new URL("../../../studio/ui/static/", import.meta.url);
  const bare = /\.toLocale\w*\(\s*\)|Intl\.\w+\(\s*\)/;
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
  assert.ok(names.length > 80);
  const found = names.filter((name) => bare.test(readFileSync(new URL(name, folder), "utf8")));
  assert.deepEqual(found, []);
});

test("what is wrong with a file is not read as a model file's lack of a part", () => {
  const folder = new URL("../../../studio/languages/", import.meta.url);
  const stays = "there is one of this name already, which stays";
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
    const { messages } = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    const gaps = [];
    const turned = studio.translator(messages, (piece) => gaps.push(piece));
    const said = (text) => turned(text) ?? text;
    const nameless = said("style 'styles.csv': a style without a name");
    const taken = said(`style 'Ink': ${stays}`);
    assert.doesNotMatch(nameless + taken, /style '|without|there is/, name);
    const reasons = `style 'styles.csv': a style without a name · style 'Ink': ${stays}`;
    const why = said(`styles.csv: holds no style that is new: ${reasons}`);
    assert.ok(why.startsWith("styles.csv: ") && why.endsWith(`: ${nameless} · ${taken}`), why);
    assert.doesNotMatch(why, /that is new/, name);
    const wrong = "row 2, weight · ω · row 3, model, strength · Steps · and 2 more";
    const all = said(`row 1, weight: must be a number, got 'x' · wrong too: ${wrong}`);
    assert.doesNotMatch(all, /must|wrong|row|weight|strength|Steps|more/, name);
    const none = said("holds no style that is new");
    assert.equal(said("styles.csv: holds no style that is new"), `styles.csv: ${none}`);
    assert.equal(said("form: holds no rows").split(": ")[1], said("holds no rows"));
    assert.match(said("the file of 'a/b' holds no text encoder"), /'a\/b'/);
    const png = "is not a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF image";
    const left = `huge.png: 20000x20000 pixels; at most 64 megapixels · no.png: ${png}`;
    assert.doesNotMatch(said(`Cannot be read and left out: ${left}`), /pixels|read|is not/, name);
    const fields = "row 1, weight: must be below 5, got 7 · row 2, prompt: unknown field";
    assert.doesNotMatch(said(`${fields}; it is not part of a preset`), /row|unknown|part/, name);
    const names = ["styles.csv", "form", "huge.png", "no.png"];
    assert.deepEqual(
      gaps.filter((one) => !names.includes(one)),
      [],
    );
  }
});

test("the page's own titles of notes, and a plan's note as a sentence, are turned whole", () => {
  const folder = new URL("../../../studio/languages/", import.meta.url);
  const trained = "fox was trained on edition 1 of starter, which is edition 3 by now";
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
    const { messages } = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    const said = studio.translator(messages);
    for (const title of ["A1111's text", "Styles", "What was opened"])
      for (const notes of ["1 note", "2 notes"])
        assert.doesNotMatch(said(`${title}: ${notes}`), /text|Styles|What|note/, name);
    const change = "so its pictures change; as base, starter-1 has the weights that it knows";
    assert.doesNotMatch(said(`${trained}, ${change}.`), /trained|change|weights/, name);
  }
});

test("kinds of pictures are named without English articles and conjunctions", () => {
  const german = studio.translator(
    JSON.parse(readFileSync(new URL("../../../studio/languages/de.json", import.meta.url)))
      .messages,
  );
  const formats = (or) => `PNG, JPEG, WebP, GIF, BMP, TIFF ${or} AVIF`;
  assert.equal(
    german(`x.png: is not a ${formats("or")} image`),
    `x.png: ist kein Bild der Art ${formats("oder")}`,
  );
  const needs = "it opens once the package pillow-heif is installed (the extra [pictures])";
  assert.match(
    german(`x.heic: is a HEIC image; ${needs}`),
    /^x\.heic: ist ein Bild der Art HEIC; es /,
  );
});
