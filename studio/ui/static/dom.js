// Small tools shared by every part of the page: elements, icons, and a bus between components.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  const PATHS = {
    grip: '<circle cx="9" cy="6" r="1"/><circle cx="15" cy="6" r="1"/><circle cx="9" cy="12" r="1"/><circle cx="15" cy="12" r="1"/><circle cx="9" cy="18" r="1"/><circle cx="15" cy="18" r="1"/>',
    eye: '<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z"/><circle cx="12" cy="12" r="2.8"/>',
    hidden:
      '<path d="M4.5 8.5C3.2 10.2 2.5 12 2.5 12S6 18.5 12 18.500c1.7 0 3.2-.5 4.5-1.200M9.5 5.800c.8-.2 1.6-.3 2.5-.3 6 0 9.5 6.5 9.5 6.500s-.7 1.3-2 2.700M3.5 3.500l17 17"/>',
    up: '<path d="M12 19V5M6 11l6-6 6 6"/>',
    down: '<path d="M12 5v14M6 13l6 6 6-6"/>',
    copy: '<rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2"/><path d="M15.5 8.500V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7.500a2 2 0 0 0 2 2h2.5"/>',
    trash:
      '<path d="M4.5 6.500h15M9.5 6.500v-2h5v2M6.5 6.500l1 13h9l1-13M10.5 10.500v5.500M13.5 10.500v5.5"/>',
    plus: '<path d="M12 5v14M5 12h14"/>',
    image:
      '<rect x="3.5" y="4.5" width="17" height="15" rx="2"/><circle cx="9" cy="10" r="1.6"/><path d="M4 17.500l5-4.5 3.5 3 3.5-4 4.5 5"/>',
    crop: '<path d="M7 3v14h14M3 7h14v14"/>',
    close: '<path d="M6 6l12 12M18 6L6 18"/>',
    split: '<path d="M4 12h5l4-6h7M9 12l4 6h7M17 3l3 3-3 3M17 15l3 3-3 3"/>',
    merge: '<path d="M4 6h6l5 6h5M4 18h6l5-6M17 9l3 3-3 3"/>',
    tune: '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>',
    save: '<path d="M12 4v11M7 10.500l5 5 5-5M4.5 20h15"/>',
    again: '<path d="M4.5 12a7.5 7.5 0 1 0 2.5-5.600M4.5 4v4.500H9"/>',
    brush:
      '<path d="M20 4c-5 2-9 6-11 10l2 2c4-2 7-6 9-12ZM9 14c-3 0-4 2-4 4 0 1-1 2-2 2 3 1.5 8 .5 8-4Z"/>',
    palette:
      '<path d="M12 4a8 8 0 1 0 0 16c1.500 0 2-1 1.500-2-.700-1.500.200-3 2-3H18a2.500 2.500 0 0 0 2-3c-.500-5-4-8-8-8Z"/><circle cx="8" cy="10" r="1"/><circle cx="12" cy="7.800" r="1"/><circle cx="16" cy="10" r="1"/>',
    upload: '<path d="M12 16V5M7 9.5l5-5 5 5M4.5 20h15"/>',
    rename: '<path d="M4 20h4L19 9l-4-4L4 16v4ZM13 7l4 4"/>',
    reuse:
      '<path d="M13 5h6v6M19 5l-8 8"/><path d="M16 14v4a1.500 1.500 0 0 1-1.500 1.500h-8A1.500 1.500 0 0 1 5 18v-8a1.500 1.500 0 0 1 1.500-1.500H10"/>',
    undo: '<path d="M5 10h9a5.500 5.500 0 0 1 0 11h-4M9 5l-5 5 5 5"/>',
    redo: '<path d="M19 10h-9a5.500 5.500 0 0 0 0 11h4M15 5l5 5-5 5"/>',
    vary: '<rect x="4" y="4" width="6.500" height="6.500" rx="1"/><rect x="13.500" y="4" width="6.500" height="6.500" rx="1"/><rect x="4" y="13.500" width="6.500" height="6.500" rx="1"/><rect x="13.500" y="13.500" width="6.500" height="6.500" rx="1"/>',
    star: '<path d="M12 4l2.400 5.200 5.600.7-4.100 3.900 1.100 5.700-5-2.800-5 2.800 1.100-5.700L4 9.900l5.600-.7Z"/>',
    explain:
      '<circle cx="12" cy="12" r="8.500"/><path d="M9.700 9.700a2.400 2.400 0 1 1 3.300 2.200c-.7.300-1 .8-1 1.600M12 16.400v.1"/>',
    expand: '<path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7"/>',
  };

  /** An inline SVG icon; the drawings above are constants. */
  studio.icon = function (name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "gs-icon");
    svg.innerHTML = PATHS[name];
    return svg;
  };

  /** An element; attributes beginning with "on" are listeners, children are nodes or text. */
  studio.el = function (tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (key === "value") node.value = value;
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };

  /** An icon button with its name for screen readers and as a tooltip. */
  studio.button = function (icon, label, onclick, extra) {
    return studio.el(
      "button",
      { type: "button", class: "gs-tool", "aria-label": label, title: label, onclick, ...extra },
      studio.icon(icon),
    );
  };

  /** A button that is a word. */
  studio.word = function (text, onclick, extra) {
    return studio.el("button", { type: "button", class: "gs-word", onclick, ...extra }, text);
  };

  /** Mark a button that can do nothing now, and let it say why: a pointer rests on it, or presses it.
   *  One that is disabled is silent. */
  studio.stops = function (node, why) {
    node.setAttribute("aria-disabled", String(Boolean(why)));
    if (why) node.title = why;
    else node.removeAttribute("title");
  };

  /** What a file dialog for pictures offers; systems that do not know a format give it no type. */
  studio.acceptsPictures = () => ["image/*", ...studio.suffixes].join();
  studio.isPicture = (file) =>
    file.type.startsWith("image/") ||
    studio.suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix));

  /** A small picture that opens a file dialog: {node, input, show(source, label)}. */
  studio.picker = function (label, take) {
    const input = studio.el("input", {
      type: "file",
      accept: studio.acceptsPictures(),
      class: "gs-file",
      tabindex: "-1",
      "aria-label": label,
      onchange: () => {
        take(input.files[0]);
        input.value = "";
      },
    });
    const node = studio.el("button", {
      type: "button",
      class: "gs-thumb",
      title: label,
      "aria-label": label,
      onclick: () => input.click(),
    });
    const show = (source, name) => {
      const text = name || label;
      node.title = text;
      node.setAttribute("aria-label", text);
      if (node.firstChild && node.dataset.shows === (source || "")) return;
      node.dataset.shows = source || "";
      node.replaceChildren(
        source ? studio.el("img", { src: source, alt: text }) : studio.icon("image"),
      );
    };
    show("");
    return { node, input, show };
  };

  /** Whether the page has a component of that id; its tab may not be drawn yet. */
  studio.isLaidOut = (id) =>
    (window.gradio_config?.components || []).some(({ props }) => props?.elem_id === id);

  /** The address of a file beside the page, wherever a proxy has put that. */
  studio.besidePage = function (name, place = window.gradio_config?.root || location.href) {
    const at = new URL(place);
    const folder = at.pathname.endsWith("/") ? at.pathname : `${at.pathname}/`;
    return `${at.origin}${folder}${name}`;
  };

  const MIRRORED = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" };
  /** A pressed key as one that goes along the text: right is onwards, left in a right-to-left page. */
  studio.along = (key) => (document.documentElement.dir === "rtl" ? (MIRRORED[key] ?? key) : key);

  /** What `look` answers, once that is anything; null after `patience` ms, or once it is not `wanted`. */
  const until = (studio.until = async function (look, patience, wanted = () => true) {
    for (const end = Date.now() + patience; Date.now() < end && wanted();) {
      const found = look();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    return null;
  });

  /** The place that a selector names, once it is in sight; as of studio.until. */
  studio.inSight = (selector, patience, wanted) =>
    until(
      () => {
        const node = document.querySelector(selector);
        return node?.getClientRects().length ? node : null;
      },
      patience,
      wanted,
    );

  /** Act once the next frame is painted, or soon in a page that draws none; what is answered does it
   *  at once. */
  studio.afterPaint = function (act) {
    let waits = true;
    const now = () => {
      if (waits) act();
      waits = false;
    };
    requestAnimationFrame(() => setTimeout(now));
    setTimeout(now, 100);
    return now;
  };

  /** Move the focus once what was done is painted, which a focus among much else would hold up. A key
   *  that comes first finds it there; one that went elsewhere meanwhile stays; of several the last
   *  counts. */
  let moving = null; // {from, move}
  studio.focusNext = function (move) {
    const waits = moving;
    moving = { from: document.activeElement, move };
    if (waits) return;
    const now = () => {
      removeEventListener("keydown", now, true);
      const { from, move: act } = moving ?? {};
      moving = null;
      if ([from, document.body].includes(document.activeElement)) act?.();
    };
    addEventListener("keydown", now, true);
    // A phone shows its keyboard only for a focus that the touch itself leads to.
    if (matchMedia("(hover: none)").matches) now();
    else studio.afterPaint(now);
  };

  /** What a dialog over a picture answers; null while another one stands, or is still being fetched. A
   *  second press would lay two of them over each other. */
  let asking = 0; // since when, in ms
  studio.alone = async function (ask) {
    if (asking) {
      const slow = Date.now() - asking > 2000 && !document.querySelector("dialog[open]");
      if (slow) studio.toast("The last picture is still being fetched.");
      return null;
    }
    asking = Date.now();
    try {
      return await ask();
    } finally {
      asking = 0;
    }
  };

  studio.clone = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

  /**
   * An event that waits for the answer of the last one: a function that tells it in words. Gradio sends
   * the first one's words again for it, so that all have one object, in which the newest stand.
   */
  studio.newest = function (trigger, name) {
    const told = {};
    return (detail) => {
      for (const key of Object.keys(told)) delete told[key];
      trigger(name, Object.assign(told, detail));
    };
  };

  /**
   * An event that waits for the answer of the last one, where none of what is pressed meanwhile may be
   * left out: a function that presses it. The server takes them all with studio.pressed.
   */
  const kept = [];
  studio.pressing = function (trigger, name) {
    return ({ id }) => {
      kept.push(id);
      trigger(name, {});
    };
  };
  studio.pressed = () => JSON.stringify(kept.splice(0));

  /**
   * What a component holds, without answers that come after later ones: `stamp` says when one was given.
   * @param props, watch as Gradio gives them to its script; call it before anything else watches
   */
  studio.lastGiven = function (props, watch) {
    let newest = props.value;
    watch("value", () => {
      if (!(props.value?.stamp < newest?.stamp)) newest = props.value;
    });
    return new Proxy(props, {
      get: (held, name) => (name === "value" ? newest : held[name]),
      set(held, name, value) {
        held[name] = value;
        if (name === "value") newest = value;
        return true;
      },
    });
  };

  // The bus. The last detail of each name is kept for components that mount later.
  const bus = new EventTarget();
  const last = {};
  studio.emit = function (name, detail) {
    last[name] = studio.clone(detail);
    bus.dispatchEvent(new CustomEvent(name, { detail: last[name] }));
  };
  studio.on = function (name, callback) {
    bus.addEventListener(name, (event) => callback(event.detail));
    if (name in last) callback(last[name]);
  };

  /** Body of a Signal component: what the server sends goes out on the bus, and "ask-…" asks for it. */
  studio.signal = function (given, watch, trigger, name) {
    studio.on(`ask-${name}`, () => trigger("submit", {}));
    const props = studio.lastGiven(given, watch);
    const tell = () => {
      if (props.value !== null && props.value !== undefined && props.value !== "")
        studio.emit(name, props.value);
    };
    watch("value", tell);
    tell();
  };

  /** An image that gives way where its file is not there or is damaged: to `instead`, or to a mark. */
  studio.orElse = function (image, instead) {
    image.addEventListener("error", () =>
      image.replaceWith(instead ?? studio.el("span", { class: "gs-blank" }, studio.icon("image"))),
    );
    return image;
  };
})(window.studio);
