// What the settings say of the page itself: told by the server, kept by the browser for its next start.
(function (studio) {
  "use strict";
  const KEY = "guidance-studio-preferences";
  const DEFAULTS = {
    theme: "system",
    language: "auto",
    autosave: true,
    sounds: false,
    notifications: false,
    long_run: 20,
  };

  /** Preferences from a text; what is missing or of another type is the default. */
  studio.readPreferences = function (text) {
    let found = null;
    try {
      found = JSON.parse(text);
    } catch {
      /* damaged, or never kept */
    }
    return Object.fromEntries(
      Object.entries(DEFAULTS).map(([name, value]) => [
        name,
        typeof found?.[name] === typeof value ? found[name] : value,
      ]),
    );
  };

  /** Whether the page is dark: by the button in this browser, else the setting, else the system. */
  studio.isDark = function (pressed, setting, system) {
    const wanted = pressed || setting;
    return wanted === "dark" || (wanted !== "light" && system);
  };

  let known = null;
  studio.preferences = function () {
    if (!known) {
      let text = null;
      try {
        text = localStorage.getItem(KEY);
      } catch {
        /* private mode */
      }
      known = studio.readPreferences(text);
    }
    return known;
  };

  studio.on?.("preferences", (told) => {
    const text = JSON.stringify(told);
    known = studio.readPreferences(text);
    try {
      localStorage.setItem(KEY, JSON.stringify(known));
    } catch {
      /* private mode */
    }
    studio.restoreTheme?.();
    studio.followLanguage?.();
  });
})(window.studio);
