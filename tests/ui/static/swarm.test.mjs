// SwarmUI's tags as this page's own marks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const studio = load("row/wildcard.js", "row/swarm.js");

test("tags of SwarmUI are written as they are read here", () => {
  const cases = {
    "a <random:cat,dog> face": "a {cat|dog} face",
    "<random:a cat, a dog|a hat>": "{a cat, a dog|a hat}",
    "<random[2]:a,b,c>": "{2$$ $$a|b|c}",
    "<random[1-2,]:a,b>": "{1-2$$, $$a|b}",
    "<wildcard:hats/tall> <wc:cap>": "__hats/tall__ __cap__",
    "<alternate:cat,dog> <ALT:a || b>": "[cat|dog] [a|b]",
    "<fromto[0.5]:cat,dog>": "[cat:dog:0.5]",
    "<repeat[3]:very> big": "very very very big",
    "a <comment:mine> cat<break>a hat": "a cat BREAK a hat",
    "<embed:bad-hands>": "embedding:bad-hands",
    "a <random:<random:red,blue>|green> hat": "a {{red|blue}|green} hat",
  };
  for (const [text, said] of Object.entries(cases)) assert.equal(studio.withoutTags(text), said);
});

test("what nothing here says stays as it is typed", () => {
  for (const text of [
    "a  cat, 1 < 2",
    "<segment:face> a cat",
    "<random:1-5> cats",
    "<random:cat>",
    "<random:a|b || c>",
    "<random[x]:a,b>",
    "<wildcard:my hats>",
    "<wildcard[2]:hats>",
    "<fromto:a,b>",
    "<repeat[9999]:a>",
    "<lora:ink:0.8> <trigger>",
  ])
    assert.equal(studio.withoutTags(text), text);
});
