// Small pictures of models: asked of the server when their lines come into sight, kept while the page lives.
(function (studio) {
  "use strict";
  const { el } = studio;
  const AT_ONCE = 24;
  const known = new Map();
  let ask = () => {};
  let waiting = [];
  let timer = null;

  function show(line) {
    const source = known.get(line.dataset.preview);
    line.dataset.seen = "shown";
    const shown = line.querySelector("img.gs-preview");
    if (shown && !source) shown.remove();
    else if (shown) shown.src = source;
    else if (source) line.prepend(el("img", { class: "gs-preview", src: source, alt: "" }));
  }

  function send() {
    timer = null;
    const ids = waiting.splice(0, AT_ONCE);
    if (ids.length) ask(ids);
    if (waiting.length) timer = setTimeout(send, 300);
  }

  const sight = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      const id = target.dataset.preview;
      if (!waiting.includes(id)) waiting.push(id);
    }
    if (waiting.length && !timer) timer = setTimeout(send, 100);
  });

  function look() {
    for (const line of document.querySelectorAll("#gs-models [data-preview]")) {
      if (line.dataset.seen === "shown") continue;
      if (known.has(line.dataset.preview))
        show(line); // given since the list was drawn
      else if (!line.dataset.seen) {
        line.dataset.seen = "asked";
        sight.observe(line);
      }
    }
  }

  /** Body of the component that asks. */
  studio.askPreviews = function (trigger) {
    ask = (ids) => trigger("select", { ids });
    // The list is drawn anew by the server; nothing tells when it stands.
    const list = document.getElementById("gs-models") || document.body;
    new MutationObserver(look).observe(list, { childList: true, subtree: true });
    look();
    studio.watchLibrary();
  };

  studio.on("previews", ({ pictures = {} }) => {
    for (const [id, source] of Object.entries(pictures)) known.set(id, source);
    for (const line of document.querySelectorAll("#gs-models [data-preview]"))
      if (line.dataset.preview in pictures) show(line);
  });
})(window.studio);
