// What a row's list of models says of the one that is chosen and does not fit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const studio = load("row/models.js");
studio.served = { adapters: ["lora"] };

test("a model that is gone is not listed as one for another base", () => {
  const models = new studio.RowModels();
  models.base = "starter";
  models.all = [
    { id: "starter", kind: "base", family: "sd1" },
    { id: "large", kind: "lora", family: "sdxl" },
  ];
  const titleOf = (id) => models.groups(["lora", id]).at(-1).title;
  assert.equal(titleOf("large"), "For another base");
  assert.equal(titleOf("gone"), "Not in the library");
});
