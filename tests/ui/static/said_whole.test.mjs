// Lines of the page with values in them, by the real tables: no English is left around or in a value.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { load } from "./load.mjs";

const studio = load("language/messages.js");
const LINES = [
  "A1111's text copied. Paste it into its prompt box, and press the arrow below Generate.",
  "Command line copied. It makes this preset's pictures.",
  "Python script copied. It makes this preset's pictures.",
  "no face that looks into the camera was found; draw the crop by hand",
  "Pictures: one of your own is here, which the example would take away; press Remove all first",
  "Pictures: 2 of your own are here, which the example would take away; press Remove all first",
  "Kept as you typed them: Steps",
  "Kept as you typed them: Steps, Rate",
  "The example took the place of Word, Steps",
  "The example took the place of Name of the model “mine, his”, Word “<x>”",
  "Encoding 6/6 …",
  "It goes on as it was begun. Other in the form, for a training of another name: Word, Steps",
  "reading · 0.0 MB of about 27.1 MB",
  "hashing starter · 0.0 MB of about 27.1 MB",
  "merging unet · 3.1 MB of about 27.1 MB",
  "The studio was started anew: hero was being trained and has no checkpoint yet, so Train begins it anew",
  "The studio was started anew: hero was being trained, and Resume in the Train tab goes on with it",
];
// Of the lines above; each a word that neither language says so.
const ENGLISH =
  /\b(copied|Paste|line|script|face|own|here|which|Kept|typed|Steps|example|place|Word|goes|about|of|reading|hashing|merging|Encoding|model|started|was|being|and)\b/;

for (const tag of ["de", "ar"]) {
  const { messages } = JSON.parse(
    readFileSync(new URL(`../../../studio/languages/${tag}.json`, import.meta.url), "utf8"),
  );
  const say = studio.translator(messages);
  for (const line of LINES)
    test(`${tag}: ${line}`, () => {
      const said = say(line);
      assert.notEqual(said, null);
      assert.doesNotMatch(said, ENGLISH);
    });
}

test("of a list in a place for a message each part is one, where it is one", () => {
  const say = studio.translator({
    "Kept: {the_fields}": "Bleibt: {the_fields}",
    Steps: "Schritte",
  });
  assert.equal(say("Kept: Steps, my own"), "Bleibt: Schritte, my own");
  assert.equal(say("Kept: mine, my own"), "Bleibt: mine, my own");
});
