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
