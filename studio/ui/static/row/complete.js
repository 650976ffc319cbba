// A list under a prompt of what its last words begin: known phrases, wildcards, models. It opens while
// one types; arrow keys choose, Enter and Tab take what is chosen, Esc closes. With nothing chosen Tab takes the
// first of what only a mark or a tag that is begun can become, and goes on where whole words may stand as they are.
(function (studio) {
  "use strict";
  const { el } = studio;
  let lists = 0;

  /**
   * For a text area: {element, typed()}.
   * @param phrases what is known
   * @param marked what wildcards and models there are, as markedCompletions takes it
   * @param later(text, caret) answers what else there is, a moment later: {start, options, begun} or null
   * @param take(text, caret) writes a text
   * @param call({entry, strength}, start, end) takes a model in, in the place of what called it
   */
  studio.completer = function (area, { phrases, marked, later, take, call }) {
    const id = `gs-complete-${(lists += 1)}`;
    const list = el("div", { class: "gs-complete", role: "listbox", id, hidden: true });
    list.setAttribute("aria-label", "Known words that begin so");
    let found = null;
    let active = -1;
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": id,
    }))
      area.setAttribute(name, value);

    function show() {
      const options = found?.options || [];
      list.hidden = !options.length;
      list.closest(".gs-card")?.classList.toggle("gs-listing", options.length > 0);
      area.setAttribute("aria-expanded", String(options.length > 0));
      list.replaceChildren(
        ...options.map((phrase, i) =>
          el(
            "div",
            {
              role: "option",
              translate: "no",
              id: `${id}-${i}`,
              "aria-selected": String(i === active),
              onpointerdown: (event) => {
                event.preventDefault(); // the text keeps the focus
                choose(i);
              },
            },
            phrase.text ? `${phrase.name}: ${phrase.text}` : (phrase.name ?? phrase),
          ),
        ),
      );
      // The buttons at the foot of a phone's page would lie over it.
      if (!list.hidden) list.scrollIntoView({ block: "nearest" });
      if (active >= 0) area.setAttribute("aria-activedescendant", `${id}-${active}`);
      else area.removeAttribute("aria-activedescendant");
    }

    function close() {
      found = null;
      active = -1;
      show();
    }

    function choose(index) {
      const { start, options, end = area.selectionStart } = found;
      const chosen = options[index];
      close();
      if (chosen.entry) return call(chosen, start, end);
      const text = area.value.slice(0, start) + (chosen.text ?? chosen);
      take(text + area.value.slice(end), text.length);
    }

    area.addEventListener("keydown", (event) => {
      if (!found || event.altKey || event.ctrlKey || event.metaKey) return;
      const last = found.options.length - 1;
      const to = {
        ArrowDown: active < last ? active + 1 : 0,
        ArrowUp: active > 0 ? active - 1 : last,
      }[event.key];
      if (to !== undefined) {
        active = to;
        show();
      } else if (["Enter", "Tab"].includes(event.key) && !event.shiftKey && active >= 0)
        choose(active);
      else if (event.key === "Tab" && !event.shiftKey && found.begun) choose(0);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    /** What comes too late, after another key, is of no use any more. */
    async function more(text, caret) {
      const answer = await later(text, caret);
      const stands = area.value === text && area.selectionStart === caret;
      if (!answer || found || !stands || document.activeElement !== area) return;
      found = answer;
      show();
    }

    area.addEventListener("blur", close);
    return {
      element: list,
      /** Called after each letter that a person types. */
      typed() {
        const { value, selectionStart: caret } = area;
        const mark = studio.markedCompletions(value, caret, marked());
        found = mark ? { ...mark, begun: true } : studio.completions(value, caret, phrases());
        active = -1;
        show();
        if (!found) more(value, caret);
      },
    };
  };
})(window.studio);
