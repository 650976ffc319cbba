// Files that a person has chosen for what is asked for later: this tab keeps them over a reload.
(function (studio) {
  "use strict";
  const NAME = "guidance-studio-files";
  const CHOSEN = "chosen";
  const LONGEST = 7 * 24 * 60 * 60 * 1000; // ms: a tab that was closed comes back no more
  let opened = null;

  const answer = (request) =>
    new Promise((take, refuse) => {
      request.onsuccess = () => take(request.result);
      request.onerror = () => refuse(request.error);
    });
  function open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore(CHOSEN, { keyPath: ["tab", "name"] });
    return answer(request);
  }
  async function begin(mode) {
    try {
      return (await (opened ??= open())).transaction(CHOSEN, mode);
    } catch (error) {
      opened = null; // the next is tried anew
      throw error;
    }
  }

  /** Keep files by a name; with none, what was kept by it goes. Rejects where the browser refuses. */
  studio.keepFiles = async function (name, files) {
    const tab = studio.session();
    const change = await begin("readwrite");
    const store = change.objectStore(CHOSEN);
    if (files.length) store.put({ tab, name, files, at: Date.now() });
    else store.delete([tab, name]);
    await new Promise((done, refuse) => {
      change.oncomplete = done;
      change.onabort = () => refuse(change.error);
    });
  };

  /** The files of this tab: [[name, files], …]; what other tabs kept and were not loaded with for
   *  long goes. */
  studio.keptFiles = async function () {
    const tab = studio.session();
    const store = (await begin("readwrite")).objectStore(CHOSEN);
    const all = await answer(store.getAll());
    for (const one of all)
      if (one.tab === tab) store.put({ ...one, at: Date.now() });
      else if (Date.now() - one.at > LONGEST) store.delete([one.tab, one.name]);
    return all.filter((one) => one.tab === tab).map(({ name, files }) => [name, files]);
  };
})(window.studio);
