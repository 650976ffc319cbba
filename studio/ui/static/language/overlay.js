// The page in another language: its English texts are replaced where they stand, now and as the page
// changes. What is marked translate="no" is a person's own and is passed over, as are the attributes
// that data-own names, and the words inside where it names "text"; what was English is remembered.
// Numbers in sentences, at the scales of plots and among a picture's facts have the decimals of the
// language; those in boxes are as they are typed, with a point. A page in English has none of this.
(function (studio) {
  "use strict";
  const ATTRIBUTES = ["title", "placeholder", "aria-label", "alt", "label"];
  // Texts that a style draws: the page's own property and its English.
  const DRAWN = {
    "--gs-says-edited": "edited",
    "--gs-says-drop": "Drop a preset, a picture or a table of styles",
  };
  const KEPT = '[translate="no"], script, style, textarea, code, pre, kbd, [contenteditable=true]';
  const OWN_TEXT = '[data-own~="text"]';
  const MARKED = { STRONG: "strong", B: "strong", EM: "em", I: "em", CODE: "code" };
  const BLOCKS = new Set(["P", "LI", "TD", "TH", "DIV", "H1", "H2", "H3", "H4"]);

  let say = null; // the translator; null in English
  const texts = new WeakMap(); // text node → {english, shown}
  const attributes = new WeakMap(); // element → {name: {english, shown}}
  const blocks = new WeakMap(); // element → {english: nodes, shown: nodes, text}

  /** A text in the page's language; the English one where there is no other. */
  studio.say = (text) => say?.(text) ?? text;

  /** A number with so many decimals, behind the page's language's point. */
  studio.sayDecimals = (value, digits) =>
    value.toFixed(digits).replace(".", studio.pointOf(document.documentElement.lang || "en"));

  /** A moment (seconds since 1970) in the page's language. */
  studio.sayMoment = (seconds) =>
    studio.momentIn(seconds, document.documentElement.lang || "en", navigator.languages || []);

  /** What a node says in English. */
  studio.englishOf = function (node) {
    if (node.nodeType === Node.TEXT_NODE) {
      const seen = texts.get(node);
      return seen?.shown === node.data ? seen.english : node.data;
    }
    return [...(standing(node)?.english ?? node.childNodes)].map(studio.englishOf).join("");
  };

  /** What a block was turned from, where it stands as it was turned. */
  function standing(node) {
    const seen = blocks.get(node);
    const same =
      seen?.text === node.textContent &&
      seen.shown.length === node.childNodes.length &&
      seen.shown.every((one, index) => one === node.childNodes[index]);
    return same ? seen : null;
  }

  /** What is to be shown, and what to remember, of a value that the page or this script has set. */
  function turned(value, seen) {
    const english = seen?.shown === value ? seen.english : value;
    return { english, shown: say?.(english) ?? english };
  }

  const SAID_ALONE = "svg, .gs-history-facts"; // where a number is said and not typed
  function turnText(node) {
    const next = turned(node.data, texts.get(node));
    if (say && next.shown === next.english && node.parentElement.closest(SAID_ALONE))
      next.shown = studio.sayNumeral(next.english, document.documentElement.lang);
    if (next.shown !== node.data) node.data = next.shown;
    if (next.shown === next.english) texts.delete(node);
    else texts.set(node, next);
  }

  function turnAttribute(node, name) {
    const value = node.getAttribute(name);
    if (!value || node.dataset.own?.split(" ").includes(name)) return;
    const seen = attributes.get(node) || {};
    const next = turned(value, seen[name]);
    if (next.shown !== value) node.setAttribute(name, next.shown);
    attributes.set(node, { ...seen, [name]: next });
  }

  /** A list of Gradio's shows what was chosen in a field that cannot be typed in: it stands there in
   *  the page's language, and is read in English. */
  const CHOSEN = "input[role=combobox][readonly]";
  const VALUE = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  function turnChosen(node) {
    let english = node.value;
    const set = (text) => VALUE.set.call(node, studio.say((english = text)));
    Object.defineProperty(node, "value", { get: () => english, set, configurable: true });
    set(english);
  }

  /** The pieces of a block that holds nothing but text and marked words, some of both; else null. */
  function piecesOf(nodes) {
    if (!nodes.some((node) => MARKED[node.nodeName])) return null;
    const pieces = [];
    for (const node of nodes) {
      const kind = node.nodeType === Node.TEXT_NODE ? "" : MARKED[node.nodeName];
      const plain = kind === "" || (kind && node.childElementCount === 0);
      if (!plain || node.attributes?.length) return null;
      pieces.push({ kind, text: studio.englishOf(node) });
    }
    return pieces;
  }

  /** Turn a block whose words are marked as a whole, since their order differs; whether it was. */
  function turnBlock(node) {
    const seen = standing(node);
    const english = seen?.english ?? [...node.childNodes];
    const pieces = piecesOf(english);
    const said = pieces && say?.(studio.markedText(pieces));
    if (!said) {
      if (seen) node.replaceChildren(...english);
      blocks.delete(node);
      return false;
    }
    const tags = Object.fromEntries(english.map((one) => [MARKED[one.nodeName], one.nodeName]));
    const shown = studio
      .markedPieces(said)
      .map(({ kind, text }) =>
        kind ? studio.el(tags[kind] || kind, {}, text) : document.createTextNode(text),
      );
    node.replaceChildren(...shown);
    blocks.set(node, { english, shown, text: node.textContent });
    return true;
  }

  /** Turn a part of the page; ``own``: its words are a person's, its attributes are not. */
  function turn(node, own = false) {
    if (node.nodeType === Node.TEXT_NODE && !own) turnText(node);
    if (node.nodeType !== Node.ELEMENT_NODE || node.getAttribute("translate") === "no") return;
    for (const name of ATTRIBUTES) if (node.hasAttribute(name)) turnAttribute(node, name);
    if (node.matches(KEPT)) return;
    if (node.matches(CHOSEN)) turnChosen(node);
    const words = own || node.matches(OWN_TEXT);
    if (!words && BLOCKS.has(node.nodeName) && turnBlock(node)) return;
    for (const child of [...node.childNodes]) turn(child, words);
  }

  /** The block that a text or a marked word of it belongs to. */
  function blockOf(node) {
    const home = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    const block = MARKED[home.nodeName] ? home.parentElement : home;
    return block && BLOCKS.has(block.nodeName) && !block.closest(OWN_TEXT) ? block : null;
  }

  const kept = (node) => Boolean(node?.closest(KEPT));
  /** Whether the words around a change are a block, and turned with it. */
  function blockTurns(node) {
    const block = blockOf(node);
    return Boolean(block) && !kept(block) && turnBlock(block);
  }
  const changes = new MutationObserver((records) => {
    for (const { type, target, attributeName, addedNodes } of records) {
      if (!target.isConnected) continue;
      if (type === "attributes") {
        if (!target.closest('[translate="no"]')) turnAttribute(target, attributeName);
      } else if (blockTurns(target)) {
        continue;
      } else if (type === "characterData") {
        if (!kept(target.parentElement) && !target.parentElement.closest(OWN_TEXT))
          turnText(target);
      } else if (!kept(target)) {
        const own = Boolean(target.closest(OWN_TEXT));
        for (const node of addedNodes) if (node.parentNode === target) turn(node, own);
      }
    }
    changes.takeRecords(); // these are of what was just written
  });

  function draw() {
    for (const [name, text] of Object.entries(DRAWN))
      if (say) document.documentElement.style.setProperty(name, JSON.stringify(studio.say(text)));
      else document.documentElement.style.removeProperty(name);
  }

  const turning = ({ messages, counted }, tag, sign) =>
    studio.translator(messages, null, sign, studio.pointOf(tag), studio.counter(tag, counted));

  /** Show the page in a language: {tag, direction} and its {messages, counted}, or null for English. */
  studio.showLanguage = function ({ tag, direction }, said) {
    if (!said && !say) return;
    changes.disconnect();
    const sign = direction === "rtl" ? "\u200e" : "";
    say = said && turning(said, tag, sign);
    document.documentElement.lang = tag;
    document.documentElement.dir = direction;
    draw();
    turn(document.body);
    if (say)
      changes.observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
        attributeFilter: ATTRIBUTES,
      });
    studio.emit("language", tag); // what is marked as a person's own, and has numbers, is written anew
    dispatchEvent(new Event("resize")); // words have other widths
  };
})(window.studio);
