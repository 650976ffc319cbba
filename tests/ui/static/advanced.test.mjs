// The folded part of the form: which fields stand in it, and when it unfolds by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const studio = load("advanced.js");

test("it unfolds for a fault inside, once: who folds it again is left alone", () => {
  const unfolds = studio.unfoldsFor();
  const none = { field: "", text: "" };
  const vae = { field: "vae", text: "decodes other latents" };
  assert.deepEqual([none, vae, vae, none, vae].map(unfolds), [false, true, false, false, true]);
  assert.equal(unfolds({ ...vae, text: "is no autoencoder" }), true);
});

test("it does not for what is in sight", () => {
  const unfolds = studio.unfoldsFor();
  for (const field of ["rows.0.weight", "base", "omega", "sampler.width", "sampler.seed", ""])
    assert.equal(unfolds({ field, text: "wrong" }), false);
  for (const field of ["sampler.eta", "init.image", "sampler.variation_seed", "description_of"])
    assert.equal(unfolds({ field, text: "wrong" }), true);
});

test("its head names what differs from a new form, a mask beside its picture, and counts the rest", () => {
  const usual = { eta: null, init: null, apg_eta: 1, variation_seed: -1, tiles: false, vae: "" };
  const held = (form) => studio.heldInside(form, usual);
  const labels = { init: "Start", init_mask: "Start, mask", variation_seed: "Variation seed" };
  const line = (form) => studio.heldLine(held(form), form, labels);
  assert.equal(line({ init: null, eta: "", apg_eta: 1.0, variation_seed: -1, seed: 3 }), "");
  const start = { image: "a.png", mask: "" };
  assert.equal(line({ init: start, variation_seed: 0 }), "Start · Variation seed");
  const all = { init: { ...start, mask: "m.png" }, eta: 0, apg_eta: 0, tiles: true, vae: "own" };
  assert.equal(line(all), "Start, mask · eta · apg_eta · and 2 more");
});
