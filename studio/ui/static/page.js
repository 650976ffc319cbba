// The page as a whole: keyboard, dropped files, theme, downloads, links.
(function (studio) {
  "use strict";
  const { el } = studio;

  /** Press a button of Gradio's, by its id. */
  const press = (studio.press = (id) => {
    const node = document.getElementById(id);
    (node?.tagName === "BUTTON" ? node : node?.querySelector("button"))?.click();
  });

  /** Turn to a tab, by its id in the layout. */
  const showTab = (studio.showTab = function (id) {
    document.querySelector(`#gs-tabs [role=tab][data-tab-id="${id}"]`)?.click();
  });

  // "Use via API" asks whether this is a server of another kind too, and it is none: the answer
  // is given here, so that no request fails.
  const ask = window.fetch;
  window.fetch = (asked, ...rest) =>
    String(asked?.url ?? asked).endsWith("/gradio_api/mcp/schema")
      ? Promise.resolve(new Response(null, { status: 404 }))
      : ask.call(window, asked, ...rest);

  /** Called by Generate: remember which card is which row, and show where the picture forms.
   *  ``own``: whether it runs what the form shows; else its shares belong to no card. */
  studio.started = function (own = true) {
    studio.emit("run", { own });
    showTab("result");
    setTimeout(() => {
      if (window.innerWidth < 900) studio.keepInSight(".gs-stage", studio.runs);
      else document.getElementById("gs-right").scrollTo({ behavior: "smooth", top: 0 });
    }, 200);
  };

  studio.toggleTheme = function () {
    const dark = document.body.classList.toggle("dark");
    try {
      localStorage.setItem("guidance-studio-theme", dark ? "dark" : "light");
    } catch {
      /* private mode */
    }
  };

  /** From now on the theme is the settings', whatever was pressed in this browser. */
  studio.followTheme = function () {
    try {
      localStorage.removeItem("guidance-studio-theme");
    } catch {
      /* private mode */
    }
  };

  const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");
  studio.restoreTheme = function () {
    let theme = null;
    try {
      theme = localStorage.getItem("guidance-studio-theme");
    } catch {
      /* private mode */
    }
    if (new URLSearchParams(location.search).has("__theme")) return;
    const dark = studio.isDark(theme, studio.preferences().theme, systemIsDark.matches);
    document.body.classList.toggle("dark", dark);
  };

  studio.newSeed = () => Math.floor(Math.random() * 2 ** 31);

  /** A panel of Gradio's own, such as "Use via API". */
  const panel = () => document.querySelector('[role="dialog"][aria-modal="true"]');

  /** Esc belongs to whatever is open: a dialog, a list, a search; else it is Cancel's, where that ends something. */
  const opensSomething = (node) =>
    document.querySelector("dialog[open]") ||
    node?.getAttribute?.("aria-expanded") === "true" ||
    node?.tagName === "SELECT" ||
    (node?.type === "search" && node.value !== ""); // which it empties

  /** A dialog's field that is kept when one leaves it, kept at once. */
  function kept(field) {
    field.blur();
    field.focus();
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        if (event.repeat) return; // held a little, it is one press
        // A dialog that asks has it first: a run would go on with what is not kept yet.
        const main = [...document.querySelectorAll("dialog[open] .gs-main-word")].at(-1);
        const field = event.target.closest?.("dialog[open] :is(input, textarea)");
        if (main) main.click();
        else if (field) kept(field);
        else studio.filled.then(() => press("gs-generate"));
      } else if (event.key !== "Escape" || !event.isTrusted) return;
      else if (panel()) panel().querySelector(".backdrop")?.click();
      else if (!opensSomething(event.target) && studio.canCancel()) press("gs-cancel");
    },
    true,
  );

  // A list of Gradio's that the keyboard has left stays open over what comes next; Esc closes it.
  document.addEventListener("focusout", ({ target }) => {
    if (target.getAttribute?.("role") !== "combobox") return;
    setTimeout(() => {
      const open = target.getAttribute("aria-expanded") === "true";
      if (open && document.activeElement !== target)
        target.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    }, 150);
  });

  // A preset dropped anywhere is loaded; a picture is asked about.
  const carriesFiles = (event) =>
    event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  let depth = 0;
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event) && ++depth === 1) document.body.classList.add("gs-dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) settle();
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event) || studio.carriesPicture(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    settle();
    if (studio.askDropped(event)) event.preventDefault();
    if (!carriesFiles(event)) return;
    event.preventDefault();
    studio.filesDropped(event.dataTransfer).then((files) => studio.askFiles(files));
  });
  document.addEventListener("drop", () => settle(), true);
  function settle() {
    depth = 0;
    document.body.classList.remove("gs-dropping");
  }

  // A model of the library becomes a row.
  document.addEventListener("click", ({ target }) => {
    const { use, kind } = target.closest?.("[data-use]")?.dataset || {};
    if (!use) return;
    const entry = studio.stack.models.entryOf(use);
    const parts = studio.modelParts(use, () => kind);
    const made = { model: studio.modelOf({ ...parts, strength: studio.advisedFor(entry) }) };
    const trigger = entry?.trigger || "";
    const card = studio.stack.add({ ...made, prompt: kind === "concept" ? "" : trigger });
    card?.node.scrollIntoView({ block: "center" });
  });

  // A model of the library becomes the base.
  let takeBase = () => {};
  let taken = "";
  studio.on("base", (base) => {
    if (base && base === taken) studio.toast(`${base} is the base model now.`);
    taken = "";
  });
  studio.hearBases = function (trigger) {
    takeBase = studio.newest(trigger, "select");
  };
  document.addEventListener("click", ({ target }) => {
    const { base } = target.closest?.("[data-base]")?.dataset || {};
    if (!base) return;
    if (base === studio.stack.models.base)
      return studio.toast(`${base} is the base model already.`);
    takeBase({ id: (taken = base) });
  });

  // Settings of a training that the method does not read are hidden, wherever they are mounted.
  studio.on("unread", (names) => {
    let style = document.getElementById("gs-unread");
    if (!style) document.head.append((style = el("style", { id: "gs-unread" })));
    const rules = names.flatMap((name) => [`#gs-train-${name}`, `#gs-train-field-${name}`]);
    // What reads no template reads no caption.
    if (names.includes("template")) rules.push("#gs-train-fill", "#gs-train-pictures .gs-pic-text");
    style.textContent = rules.length ? `${rules.join(",")}{display:none!important}` : "";
  });

  function offer({ name, text }, type) {
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  studio.on("download", (file) => offer(file, "application/json"));

  // Where the clipboard is closed to a page (no HTTPS), the same text comes as a file.
  studio.on("code", async ({ name, text, said }) => {
    try {
      await navigator.clipboard.writeText(text);
      studio.toast(said);
    } catch {
      offer({ name, text }, "text/plain");
    }
  });

  studio.on("link", async ({ code }) => {
    const place = new URL(location.href);
    place.search = "";
    place.searchParams.set("p", code);
    studio.link = place.href;
    try {
      await navigator.clipboard.writeText(place.href);
      studio.toast(
        studio.leadsHere(place.href)
          ? `Link copied. ${studio.HERE_ALONE}`
          : "Link copied. Whoever opens it sees this preset.",
      );
    } catch {
      window.prompt(studio.say("Copy this link:"), place.href);
    }
  });

  /** Heights of what stays in sight, for what must find room beside it. */
  const STAYS = { "gs-dock": "--gs-dock", "gs-train-now": "--gs-train-now" };
  function measure() {
    for (const [id, name] of Object.entries(STAYS)) {
      const node = document.getElementById(id);
      if (!node || "measured" in node.dataset) continue;
      node.dataset.measured = "";
      const set = () => document.documentElement.style.setProperty(name, `${node.offsetHeight}px`);
      new ResizeObserver(set).observe(node);
      set();
    }
  }

  /** Whether the window is as narrow as a phone's, for what lies outside Gradio's container. */
  function narrow() {
    const asked = matchMedia("(max-width: 899px)");
    const set = () => document.documentElement.classList.toggle("gs-narrow", asked.matches);
    asked.addEventListener("change", set);
    set();
  }

  /** The page's own manifest; Gradio names one at the root. */
  function nameManifest() {
    const links = [...document.querySelectorAll("link[rel=manifest]")];
    const link = links.shift() || el("link", { rel: "manifest" });
    link.href = studio.besidePage("studio.webmanifest");
    if (!link.isConnected) document.head.append(link);
    for (const other of links) other.remove();
  }

  // Gradio may run this before or after the document is whole.
  function begin() {
    nameManifest();
    studio.restoreTheme();
    narrow();
    measure();
    new MutationObserver(measure).observe(document.body, { childList: true, subtree: true });
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})(window.studio);
