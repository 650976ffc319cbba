// Which language the page is in: what was chosen in this browser, else the setting, else the browser's.
(function (studio) {
  "use strict";
  const { el } = studio;
  const KEY = "guidance-studio-language"; // chosen in this browser, where the settings are another's
  const AUTOMATIC = "auto";

  function own() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // private mode
    }
  }

  function keep(tag) {
    try {
      if (tag === AUTOMATIC) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, tag);
    } catch {
      /* private mode */
    }
  }

  const fetched = {};
  const messagesOf = (tag) =>
    (fetched[tag] ??= fetch(studio.besidePage(studio.languages[tag].file)).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    }));

  let shown = "en";
  /** Show the language that is wanted now; a language that cannot be fetched leaves the page as it is. */
  studio.followLanguage = async function () {
    const tag = studio.languageOf({
      own: own(),
      setting: studio.preferences().language,
      wanted: navigator.languages || [],
      offered: Object.keys(studio.languages),
    });
    if (tag === shown) return;
    const before = shown;
    shown = tag;
    try {
      const said = studio.languages[tag].file ? await messagesOf(tag) : null;
      if (shown === tag) studio.showLanguage({ tag, ...studio.languages[tag] }, said);
    } catch {
      delete fetched[tag];
      if (shown === tag) shown = before;
    }
  };

  /** From now on the language is the settings', whatever was chosen in this browser. */
  studio.dropLanguage = () => keep(AUTOMATIC);

  /** A list of the languages for visitors, whose settings these are not. */
  studio.mountLanguages = function (place) {
    const select = el(
      "select",
      {
        class: "gs-select gs-language",
        "aria-label": "Language",
        onchange: () => {
          keep(select.value);
          studio.followLanguage();
        },
      },
      el("option", { value: AUTOMATIC }, "Browser's language"),
      ...Object.entries(studio.languages).map(([value, { name }]) =>
        el("option", { value, translate: "no" }, name),
      ),
    );
    select.value = own() || AUTOMATIC;
    place.replaceChildren(select);
  };

  if (document.body) studio.followLanguage();
  else document.addEventListener("DOMContentLoaded", () => studio.followLanguage());
})(window.studio);
