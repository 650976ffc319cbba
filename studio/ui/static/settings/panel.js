// The settings in a dialog, asked for whenever it opens.
(function (studio) {
  "use strict";
  const { el } = studio;
  const REFUSED =
    "This browser shows no notifications of this page; allow them beside its address.";

  /** Ask the browser for notifications when they are switched on. */
  async function permitted() {
    if (!window.Notification) return false;
    if (Notification.permission === "default") await Notification.requestPermission();
    return Notification.permission === "granted";
  }

  function folders(value, toModels) {
    if (!value.folders.length) return [];
    return [
      el("h3", {}, "Folders"),
      el(
        "dl",
        { class: "gs-settings-folders" },
        ...value.folders.flatMap(({ title, path, origin }) => [
          el("dt", {}, title),
          el("dd", {}, el("code", {}, path), " ", el("em", {}, origin)),
        ]),
      ),
      el(
        "p",
        {},
        "Everything in the home moves with the variable STUDIO_HOME. Further folders of models are named on the ",
        el("button", { type: "button", class: "gs-link", onclick: toModels }, "Models tab"),
        ".",
      ),
    ];
  }

  studio.mountSettings = function (element, props, trigger, watch) {
    const body = el("div", { class: "gs-settings-body" });
    const close = studio.button("close", "Close the settings", () => dialog.close());
    const dialog = el(
      "dialog",
      { class: "gs-painter gs-settings", "aria-labelledby": "gs-settings-title" },
      el(
        "div",
        { class: "gs-settings-head" },
        el("h2", { id: "gs-settings-title" }, "Settings"),
        close,
      ),
      body,
    );
    // What was refused stood in the dialog alone: whoever closes it is told what holds instead.
    dialog.addEventListener("close", () => {
      const refused = (props.value?.groups ?? [])
        .flatMap(({ settings }) => settings)
        .filter((row) => row.refused);
      for (const { title } of refused) studio.toast(`${title} stays as it was.`);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

    const act = {
      async set(name, value) {
        if (name === "notifications" && value && !(await permitted())) studio.toast(REFUSED);
        if (name === "language") studio.dropLanguage();
        trigger("edit", { name, value });
        if (name === "theme") studio.followTheme();
      },
      reset: (name) => trigger("delete", { name }),
    };
    const toModels = () => {
      dialog.close();
      studio.showTab("models");
    };

    function draw() {
      const value = studio.clone(props.value) || {};
      if (!value.groups) return;
      const { name } = document.activeElement?.dataset ?? {};
      const now = Object.values(value.running).join(", ");
      body.replaceChildren(
        ...value.notes.map((note) => el("p", { class: "gs-settings-note", role: "status" }, note)),
        ...value.groups.flatMap(({ title, settings }, index) => [
          el("h3", {}, title),
          index === 0 && now ? el("p", {}, `In use now: ${now}.`) : "",
          ...settings.map((row) => studio.settingRow(row, value.editable, act)),
        ]),
        ...folders(value, toModels),
      );
      if (name && dialog.open)
        body
          .querySelector(`[data-name="${name}"], [data-name="${name.replace(/-reset$/, "")}"]`)
          ?.focus();
    }

    studio.openSettings = function () {
      trigger("select", {});
      if (!dialog.isConnected) document.body.append(dialog);
      dialog.showModal();
    };
    watch("value", draw);
    draw();
  };
})(window.studio);
