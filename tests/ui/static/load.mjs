// The page's scripts, loaded as a page loads them but without one: those that need no DOM.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const folder = new URL("../../../studio/ui/static/", import.meta.url);

/** What `window.studio` holds after these scripts. */
export const load = (...names) => loadBeside({}, ...names);

/** The same where `window.studio` holds what is given before. */
export const loadBeside = (given, ...names) => loadIn({}, given, ...names);

/** The same where the window has these things too, such as a `document`. */
export function loadIn(things, given, ...names) {
  const clone = (value) => JSON.parse(JSON.stringify(value ?? null));
  const window = { studio: { clone, ...given }, ...things };
  const web = {
    URL,
    Request,
    Response,
    ReadableStream,
    TextDecoder,
    TextEncoder,
    setTimeout,
    clearTimeout,
    Event,
    EventTarget,
  };
  const context = vm.createContext({ window, ...web, ...things });
  for (const name of names) {
    const path = fileURLToPath(new URL(name, folder));
    vm.runInContext(readFileSync(path, "utf8"), context, { filename: path });
  }
  return window.studio;
}

/** A value of another realm as one of this one, for deepEqual. */
export const plain = (value) => JSON.parse(JSON.stringify(value ?? null));
