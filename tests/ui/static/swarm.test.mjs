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

const turns = (cases) => {
  for (const [text, said] of Object.entries(cases)) assert.equal(studio.withoutTags(text), said);
};
const stays = (texts) => {
  for (const text of texts) assert.equal(studio.withoutTags(text), text);
};

test("a tag is parted in its own text, not in what a tag within it has become", () => {
  turns({
    "<random:<random:red,blue>,green>": "{{red|blue}|green}",
    "<random[1-2,]:<random:a,b>,c>": "{1-2$$, $${a|b}|c}",
    "<fromto[0.5]:<random:a,b>,c>": "[{a|b}:c:0.5]",
    "<random:<fromto[0.5]:a,b>|c>": "{[a:b:0.5]|c}",
    "<alternate:<random:a|b>,c, d>": "[{a|b}|c|d]",
    "<random:{a|b},c>": "{{a|b}|c}",
    "<random:<wc:hat>,no hat>": "{__hat__|no hat}",
    "<repeat[2]:<random:a,b>>": "{a|b} {a|b}",
    "<RANDOM:a,<comment:x,y>b>": "{a|b}",
    "<random:<comment:[z>a,b>": "{a|b}",
  });
  // A bar of the inner one would part the outer one; of a tag that stays nothing within is turned.
  stays([
    "<random:<alternate:b,c>,d>",
    "<random:<segment:face>,<random:a,b>>",
    "<segment:<random:a,b>>",
    "{<alternate:a,b>|c}",
    `${"<random:a,".repeat(12)}b${">".repeat(12)}`,
  ]);
});

test("a part in which something would be read as a mark leaves its tag as it is", () => {
  stays([
    "<fromto[0.5]:re:zero,dog>",
    "<fromto[0.5]:a:b||c>",
    "<alternate:re:zero,dog>",
    "<fromto[0.5]:<random:re:zero,a>,dog>",
    "<alternate:<embed:x>,cat>",
    "[<random:re:zero,cat>:0.5]",
    "<alternate:a|b || c>",
    "<fromto[1.5]:a,b>",
    "<fromto[1e1]:a,b>",
    "<random:it's $$ 5,b>",
    "<random:0.5::a,b>",
    "<random:50% off,b>",
    "<random:a #1,b>",
    "<random:a // b,c>",
    "<random:a {b,c>",
    "<random:{a},b>",
    "<random:a__b,c>",
    "<random:@_@,o_o>",
    "<random:(red, blue), green>",
    "<random:1.5 - 2,a>",
    "<random: 1-5 ,a>",
    "<random[3]:a,b>",
    "<random[2-1]:a,b>",
    "\\<random:a,b>",
    "$<random:a,b>",
  ]);
  turns({
    "<fromto[0.5]:(cat:1.2),dog>": "[(cat:1.2):dog:0.5]",
    "<fromto[.25]:,dog>": "[:dog:.25]",
    "<random:a {b|c},d__hat__>": "{a {b|c}|d__hat__}",
    "<random:a-b, re:zero>": "{a-b|re:zero}",
  });
});

test("embeddings, wildcards and comments are turned only where they are read whole", () => {
  turns({
    "<embed:x>cat": "embedding:x cat",
    "cat<embed:x>.": "cat embedding:x.",
    "<embed:a><embed:b>, c": "embedding:a embedding:b, c",
    "(<embed:neg/bad.pt>:1.2)": "(embedding:neg/bad.pt:1.2)",
    "_<wc:a>": "_ __a__",
    "<repeat:3,very> big": "very very very big",
    "<repeat:2,a, b>": "a, b a, b",
  });
  stays([
    "<embed:bad hands>",
    "<embed:größe>",
    "<embed:x.>",
    "<wildcard:__x__>",
    "<comment:a > b> x",
    "<repeat:very>",
    "<repeat[0]:a>",
    "<repeat[50]:<repeat[50]:a cat>>",
  ]);
});

test("blanks that no tag left behind stay as they are", () => {
  turns({
    "a  cat, <random:a,b>  \n\n  c ": "a  cat, {a|b}  \n\n  c ",
    "<comment:mine> a  cat": "a  cat",
    "a  cat <comment:mine>": "a  cat",
    "a <comment:mine> cat": "a cat",
    "a  cat<break>\n  a hat": "a  cat BREAK\n  a hat",
  });
});

test("a long prompt of tags takes no time that one would see", () => {
  const start = Date.now();
  for (const text of [
    "<random:a,b> ",
    "<",
    "<random:",
    "{",
    "<comment:>",
    "<random:a>>",
    "[<alt:a,b>",
  ])
    studio.withoutTags(text.repeat(4000 / text.length));
  studio.withoutTags("<random:a,b>".repeat(100000));
  assert.ok(Date.now() - start < 1500);
});
