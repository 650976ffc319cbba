// What the studio itself gives to copy, brought back to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const studio = load("row/brought.js");
const PRESET = '{\n  "rows": [{"prompt": "a cat"}]\n}';

test("a link to a preset is told from a prompt, whatever page it is of", () => {
  const link = (text) => studio.broughtBy(text)?.link;
  assert.equal(link("http://127.0.0.1:7860/?p=q1Yqyi-_x\n"), "q1Yqyi-_x");
  assert.equal(link("https://studio.example.org/studio/?lang=de&p=q1Y#top"), "q1Y");
  const others = [
    "a cat http://x.org/?p=q1Y",
    "http://x.org/?q=q1Y",
    "?p=q1Y",
    "http://x.org/p=q1Y",
  ];
  assert.ok(others.every((text) => !studio.broughtBy(text)));
});

test("of a command line the preset is read that it was copied with", () => {
  const copied = `python -m studio generate - --out pictures <<'PRESET'\n${PRESET}\nPRESET\n`;
  const { name, text } = studio.broughtBy(copied);
  assert.deepEqual([name, text], ["preset.json", PRESET]);
  assert.equal(studio.broughtBy(PRESET).text, PRESET);
  assert.equal(studio.broughtBy(copied.replace(PRESET, "a cat")), null);
});

test("the options of a command line are told, beside where its pictures go", () => {
  const options = (line) =>
    studio.broughtBy(`python -m studio ${line} <<'PRESET'\n${PRESET}\nPRESET\n`).options;
  assert.equal(options("generate - --out pictures"), "");
  assert.equal(options("generate - --set cfg=3 --out=here --count 4"), "--set cfg=3 --count 4");
  assert.equal(options("sweep - --x cfg=3,5"), "sweep --x cfg=3,5");
});
