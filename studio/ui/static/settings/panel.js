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
    // What is refused stands in the dialog alone, beside what is changed after it: whoever closes it,
    // before the answer too, is told that the old value holds.
    let unanswered = false;
    const refusals = new Map(); // by setting, until it is changed again or the dialog opens anew
    const rowsOf = (value) => (value?.groups ?? []).flatMap(({ settings }) => settings);
    function tellRefused() {
      for (const { name, title } of rowsOf(props.value))
        if (refusals.has(name)) studio.toast(`${title} stays as it was.`);
    }
    dialog.addEventListener("close", () => unanswered || tellRefused());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

    const act = {
      async set(name, value) {
        if (name === "notifications" && value && !(await permitted())) studio.toast(REFUSED);
        if (name === "language") studio.dropLanguage();
        unanswered = true;
        refusals.delete(name);
        trigger("edit", { name, value });
        if (name === "theme") studio.followTheme();
      },
      reset(name) {
        unanswered = true;
        refusals.delete(name);
        trigger("delete", { name });
      },
    };
    const toModels = () => {
      dialog.close();
      studio.showTab("models");
    };

    // A field that is drawn anew while one types in it takes half a text, or loses it: it is drawn
    // when it is left.
    let typing = false;
    let waits = false;
    let drawn = ""; // what stands there
    const told = () => JSON.stringify({ ...props.value, nonce: 0, answers: "" });
    body.addEventListener("input", ({ target }) => (typing = target.type === "text"));
    body.addEventListener("change", () => (typing = false));
    body.addEventListener("focusout", () => {
      typing = false;
      if (!waits || unanswered) return; // what has just been changed is answered, and then drawn
      // Not before a press that takes the keyboard away is through.
      setTimeout(() => waits && draw(), 300);
    });

    function draw() {
      const value = studio.clone(props.value) || {};
      if (!value.groups) return;
      waits = typing;
      if (waits) return;
      drawn = told();
      for (const row of rowsOf(value))
        if (refusals.has(row.name))
          Object.assign(row, { refused: refusals.get(row.name), note: "" });
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
      refusals.clear();
      trigger("select", {});
      if (!dialog.isConnected) document.body.append(dialog);
      dialog.showModal();
    };
    // Whoever comes back to them may have restarted the studio, as they ask for.
    window.addEventListener("focus", () => {
      if (dialog.open && !typing && !unanswered) trigger("select", {});
    });
    watch("value", () => {
      const { answers } = props.value ?? {}; // of which setting this is the answer, with an edit alone
      if (answers) refusals.delete(answers);
      for (const { name, refused } of rowsOf(props.value)) if (refused) refusals.set(name, refused);
      if (unanswered && !dialog.open) tellRefused();
      // Asked for as one comes back, by a press on a field maybe: what has not changed stays.
      const same = !unanswered && dialog.open && told() === drawn;
      unanswered = false;
      if (!same) draw();
    });
    draw();
  };
})(window.studio);
