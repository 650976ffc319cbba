// The page as a whole: keyboard, dropped files, theme, downloads, links.
(function (studio) {
  "use strict";
  const { el } = studio;
  const click = (id) => {
    const node = document.getElementById(id);
    (node?.tagName === "BUTTON" ? node : node?.querySelector("button"))?.click();
  };

  /** A line at the foot of the page, for what happens in the browser alone. */
  studio.toast = function (text) {
    const note = el("div", { class: "gs-toast", role: "status" }, text);
    document.body.append(note);
    setTimeout(() => note.remove(), 5000);
  };

  function showTab(title) {
    [...document.querySelectorAll("#gs-tabs [role=tab]")]
      .find((tab) => tab.textContent.trim() === title)
      ?.click();
  }

  /** Called by Generate: remember which card is which row, and show where the picture forms. */
  studio.started = function () {
    studio.emit("run", {});
    showTab("Result");
    if (window.innerWidth < 900)
      setTimeout(() => {
        document.querySelector(".gs-stage")?.scrollIntoView({ behavior: "smooth", block: "start" });
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

  function restoreTheme() {
    let theme = null;
    try {
      theme = localStorage.getItem("guidance-studio-theme");
    } catch {
      /* private mode */
    }
    if (theme && !new URLSearchParams(location.search).has("__theme"))
      document.body.classList.toggle("dark", theme === "dark");
  }

  studio.newSeed = () => Math.floor(Math.random() * 2 ** 31);

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        click("gs-generate");
      } else if (event.key === "Escape" && !document.querySelector("dialog[open]"))
        click("gs-cancel");
    },
    true,
  );

  // A preset or an image dropped anywhere is loaded.
  const carriesFiles = (event) =>
    event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const loader = () => document.querySelector("#gs-top input[type=file]");
  let depth = 0;
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event) && ++depth === 1) document.body.classList.add("gs-dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) settle();
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    settle();
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const input = loader();
    if (!input || !event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("drop", () => settle(), true);
  function settle() {
    depth = 0;
    document.body.classList.remove("gs-dropping");
  }

  studio.on("download", ({ name, text }) => {
    const link = el("a", {
      href: URL.createObjectURL(new Blob([text], { type: "application/json" })),
      download: name,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  studio.on("link", async ({ code }) => {
    const place = new URL(location.href);
    place.search = "";
    place.searchParams.set("p", code);
    studio.link = place.href;
    try {
      await navigator.clipboard.writeText(place.href);
      studio.toast("Link copied. Whoever opens it sees this preset.");
    } catch {
      window.prompt("Copy this link:", place.href);
    }
  });

  window.addEventListener("load", restoreTheme);
  if (document.body) restoreTheme();
})(window.studio);
