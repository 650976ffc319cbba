// The wildcards that a prompt names, and what a text file that is dropped may be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, loadIn, plain } from "./load.mjs";

const studio = load("row/brought.js", "row/wildcard.js");

test("the wildcards of a prompt are those that the studio reads", () => {
  // tests/preset/test_wildcard_files.py holds what is written there against the studio's own answer.
  const cases = JSON.parse(readFileSync(new URL("wildcards.json", import.meta.url), "utf8"));
  for (const [prompt, names] of cases)
    assert.deepEqual(plain(studio.wildcardsIn(prompt)), names, prompt);
  // Those that no file of one's own may be called.
  for (const none of ["__a*__", "__.a__", "__a.__", "__a/../b__"])
    assert.deepEqual(plain(studio.wildcardsIn(none)), [], none);
});

test("a prompt that is chosen anew is known by what is in it", () => {
  for (const text of ["a {b|c}", "{2$$a|b}", "x __hat__", "{a|{b|c}}"])
    assert.equal(studio.hasChoices(text), true, text);
  for (const text of ["a cat", "{word}", "a|b", "\\{a|b\\}", ""])
    assert.equal(studio.hasChoices(text), false, text);
});

test("a file of choices has a name that a prompt can say", () => {
  assert.equal(studio.wildcardName("My list (2).txt"), "My-list-2");
  assert.equal(studio.wildcardName("été.txt"), "été");
  assert.equal(studio.wildcardName("my_hats.txt"), "my_hats");
  assert.equal(studio.wildcardName("_my__hats_.txt"), "my-hats");
  assert.equal(studio.wildcardName("...txt"), "");
  for (const name of ["My-list-2", "été", "my_hats"])
    assert.deepEqual(plain(studio.wildcardsIn(`__${name}__`)), [name]);
});

/** The page around a dialog: what it is made of is an object with what it was given. */
function beside({ server = {}, confirm = () => false, cards = [] }) {
  const said = [];
  const el = (kind, given, ...children) => {
    const node = { kind, ...given, children, open: true, focus() {}, showModal() {} };
    return Object.assign(node, { close: () => (node.open = false) });
  };
  const given = {
    ...{ el, word: (text, onclick) => ({ text, onclick }), say: (text) => text },
    toast: (text) => said.push(text),
    askBeforeReload() {},
    problemOf: () => ({ show: (text) => said.push(text) }),
    stack: { server, cards, wildcards: { look() {} } },
    askChoice: (title, _, choices) => ({
      title,
      labels: choices.map(({ label }) => label),
      take: (at) => choices[at].take(),
    }),
    askFile: (file) => ({ asked: file.name }),
  };
  const things = { confirm, document: { body: { append() {} } } };
  return { said, studio: loadIn(things, given, "row/brought.js", "row/wildcard.js") };
}

const areaOf = (dialog) => dialog.children.find((one) => one?.kind === "textarea");
const keeps = (dialog) =>
  dialog.children.at(-1).children.find((one) => one.text === "Keep the choices");

test("no Esc closes a dialog with what was written, before it was asked", async () => {
  let [asks, yes] = [0, false];
  const confirm = () => ((asks += 1), yes);
  const { studio } = beside({ confirm, server: { wildcard_text: async () => ({ text: "cap" }) } });
  const dialog = await studio.editWildcard("hat");
  const press = () => {
    const event = { key: "Escape", preventDefault: () => (event.refused = true) };
    dialog.onkeydown(event);
    return event.refused;
  };
  areaOf(dialog).value = "bonnet";
  for (const time of [1, 2]) {
    assert.equal(press(), true); // "cancel" does not come at all: Chrome lets it be refused once
    assert.deepEqual([asks, dialog.open], [time, true]);
  }
  yes = true;
  press();
  assert.equal(dialog.open, false);
});

test("what the file held is sent with the choices, and a refusal leaves the dialog open", async () => {
  const sent = [];
  const server = {
    wildcard_text: async () => ({ text: "cap" }),
    wildcard_keep: async (asked) => (sent.push(plain(asked)), { error: "has changed" }),
  };
  const { studio, said } = beside({ server });
  const dialog = await studio.editWildcard("hat", "bonnet\n");
  await keeps(dialog).onclick();
  assert.deepEqual(sent, [{ name: "hat", text: "bonnet\n", before: "cap" }]);
  assert.deepEqual([said, dialog.open, areaOf(dialog).value], [["has changed"], true, "bonnet\n"]);
});

test("a file of lines is asked for by what it can be, and commented lines are none", async () => {
  const file = { name: "a.txt", size: 9, text: async () => "# of hats\ncap\n" };
  const lines = plain(await beside({}).studio.linesIn(file));
  assert.deepEqual(plain(beside({}).studio.askLines(file, lines)), { asked: "a.txt" });
  const card = { row: { prompt: "cat" }, title: () => "" };
  const asked = beside({ cards: [card] }).studio.askLines(file, lines);
  assert.equal(asked.title, "What is a.txt for? 1 line");
  const only = { ...file, text: async () => "# nothing\n" };
  assert.equal(await beside({}).studio.linesIn(only), null);
});

test("more lines than a sweep reads are refused, and not laid out", () => {
  const card = { row: { prompt: "cat" }, title: () => "" };
  const { said, studio } = beside({ cards: [card] });
  Object.assign(studio, {
    listOfLines: (text) => text,
    checkLength: (text, most) => (text.length > most ? `${text.length} of ${most}` : ""),
    axes: { list: () => [], has: () => false, full: () => false },
    vary: (field) => said.push(field),
  });
  const file = { name: "a.txt" };
  studio.askLines(file, Array(2500).fill("a long cat")).take(0);
  studio.askLines(file, ["a cat"]).take(0);
  assert.deepEqual(said, ["27499 of 20000", "rows.0.prompt"]);
});

test("lines of another encoding are read as they were written, and that is said", async () => {
  const { said, studio } = beside({});
  const lines = async (...bytes) =>
    plain(await studio.linesIn(new File([Uint8Array.from(bytes)], "a.txt")));
  assert.deepEqual(await lines(0x67, 0x72, 0xc3, 0xbc, 0x6e), ["grün"]);
  assert.deepEqual(await lines(0xff, 0xfe, 0x67, 0, 0x72, 0, 0xfc, 0, 0x6e, 0), ["grün"]);
  assert.deepEqual(said, []);
  assert.deepEqual(await lines(0x67, 0x72, 0xfc, 0x6e), ["grün"]);
  assert.deepEqual(said, ["a.txt is no UTF-8 text; it is read as Windows-1252"]);
  assert.deepEqual(await lines(0xc3, 0xbc, 0xfc), ["ü\ufffd"]); // one damaged byte
  assert.equal(await lines(0, 1, 10, 0x67), null);
});

test("lines are those of a text that is nothing else", async () => {
  const file = (name, text) => ({ name, size: text.length, text: async () => text });
  const lines = async (name, text) => plain(await studio.linesIn(file(name, text)));
  assert.deepEqual(await lines("a.txt", "one\r\n\r\ntwo\n"), ["one", "two"]);
  assert.equal(await lines("styles.csv", "name,prompt"), null);
  assert.equal(await lines("a.txt", " \n"), null);
  assert.equal(await lines("a.txt", "a cat\nSteps: 20, Sampler: Euler, Seed: 1"), null);
  assert.equal(await lines("a.txt", '{"rows": []}'), null);
});
