// A dropped picture: what the browser shows is one; of what it does not, the server says whether it is.
import assert from "node:assert/strict";
import test from "node:test";
import { loadIn } from "./load.mjs";

/** What is wrong with a file, and what the server was asked for it. */
async function wrongWith({ shown = false, answer = {}, gone = false }) {
  const asked = [];
  const createImageBitmap = async () => {
    if (!shown) throw new Error("could not be decoded");
    return { close() {} };
  };
  const studio = loadIn({ createImageBitmap }, {}, "row/images.js");
  const upload = async () => {
    if (gone) throw new Error("no connection");
    return { path: "/tmp/a.png" };
  };
  const server = {
    check_picture: async ({ path }) => {
      asked.push(path);
      return answer;
    },
  };
  const images = new studio.RowImages(server, upload, {});
  return { wrong: await images.wrongWith({ name: "a.png" }), asked };
}

test("a picture that the browser shows needs no server", async () => {
  assert.deepEqual(await wrongWith({ shown: true }), { wrong: "", asked: [] });
});

test("of another the server says whether it reads it", async () => {
  assert.equal((await wrongWith({ answer: {} })).wrong, ""); // a TIFF
  const refused = await wrongWith({ answer: { error: "picture: is empty" } });
  assert.deepEqual(refused, { wrong: "a.png: is empty", asked: ["/tmp/a.png"] });
  assert.match((await wrongWith({ gone: true })).wrong, /could not be read/);
});
