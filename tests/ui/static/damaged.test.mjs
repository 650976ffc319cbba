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
  const studio = loadIn({ createImageBitmap }, {}, "sending.js", "row/images.js");
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

test("a picture that is sent to be looked at is told of, and not sent again to be used", async () => {
  const told = [];
  let uploads = 0;
  const createImageBitmap = async () => {
    throw new Error("could not be decoded");
  };
  const studio = loadIn({ createImageBitmap }, {}, "sending.js", "row/images.js");
  const server = {
    check_picture: async () => ({}),
    store_image: async ({ path }) => ({ image: path, thumb: "" }),
    seed_of: async ({ path }) => ({ seed: path }),
  };
  const upload = async () => {
    uploads += 1;
    if (uploads === 1) throw new Error("no connection");
    return { path: `/tmp/${uploads}` };
  };
  const images = new studio.RowImages(server, upload, {});
  const file = { name: "a.tif" };
  const look = () => images.wrongWith(file, () => told.push(file.name));
  assert.match(await look(), /no connection/);
  assert.equal(await look(), ""); // what did not get there is sent again
  assert.equal((await images.store(file)).image, "/tmp/2");
  assert.equal((await images.seedOf(file)).seed, "/tmp/2");
  assert.equal((await images.store({ name: "a.tif" })).image, "/tmp/3"); // another file
  assert.deepEqual(told, ["a.tif", "a.tif"]);
});

test("what is said of a picture that was taken is shown", async () => {
  const told = [];
  const studio = loadIn({}, { toast: (text) => told.push(text) }, "sending.js", "row/images.js");
  const server = { store_image: async () => ({ image: "a", thumb: "", note: "the first" }) };
  const images = new studio.RowImages(server, async () => ({ path: "/tmp/a" }), {});
  assert.equal((await images.store({ name: "a.gif" })).image, "a");
  assert.deepEqual(told, ["the first"]);
});

test("of two pictures that are looked at, the later one is asked about", async () => {
  const [told, shown, answers] = [[], [], []];
  const page = { addEventListener: () => {} };
  const given = { isPicture: () => true, toast: (text) => told.push(text) };
  const studio = loadIn({ document: page }, given, "uses.js");
  const wrongWith = (_, reading) => {
    reading();
    return new Promise((answer) => answers.push(answer));
  };
  const seedOf = async () => ({ seed: 1 });
  const askUse = (title) => shown.push(title);
  Object.assign(studio, { stack: { images: { wrongWith, seedOf } }, askUse });
  const files = ["a.tif", "b.tif"].map((name) => new File(["x"], name));
  const asked = files.map((file) => studio.askFile(file));
  answers.reverse().forEach((answer) => answer(""));
  await Promise.all(asked);
  assert.deepEqual(shown, ["What is b.tif for?"]);
  const one = "One file at a time: a.tif was not taken.";
  assert.deepEqual(told, ["Reading a.tif …", "Reading b.tif …", one]);
});

test("a picture that is too large is refused before it is sent", async () => {
  const sent = [];
  const studio = loadIn({ gradio_config: { max_file_size: 2 ** 21 } }, {}, "sending.js");
  const send = studio.sending(async (file) => sent.push(file.name));
  await send({ name: "a.png", size: 2 ** 21 });
  const large = { name: "b.png", size: 2 ** 21 + 1 };
  await assert.rejects(send(large), /^Error: b.png has 3 MB; a file has at most 2 MB$/);
  assert.deepEqual(sent, ["a.png"]);
});
