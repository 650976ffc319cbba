// The masks of all rows over the picture, each in a colour of its own; one is painted at a time.
(function (studio) {
  "use strict";
  const { el } = studio;
  const NOTE =
    "Each row acts where its colour is. A row without any acts everywhere, and is left as it is until it is painted.";
  const STRETCHED = "Masks of another size are stretched to this one, and Use masks keeps them so.";

  class RowsPainter extends studio.Painter {
    /** ``layers``: {card, label, ink, strokes} of each row. */
    constructor(layers, background) {
      super(layers[0].strokes, background, "Where the rows act");
      this.layers = layers;
      for (const { strokes } of layers) {
        strokes.className = "gs-strokes";
        this.frame.append(strokes);
      }
      const legend = layers.map((layer, index) => {
        const swatch = el("span", { class: "gs-ink", style: `background: ${layer.ink}` });
        const choose = () => this.choose(index);
        const own = { type: "button", class: "gs-word", translate: "no", onclick: choose };
        layer.button = el("button", own, swatch);
        layer.button.append(layer.label);
        return layer.button;
      });
      const stretched = layers.some(({ strokes }) => this.stretched(strokes));
      const note = el("p", { class: "gs-work-note" }, stretched ? `${NOTE} ${STRETCHED}` : NOTE);
      const box = { class: "gs-line gs-inks", role: "group", "aria-label": "Row that is painted" };
      this.frame.after(note, el("div", box, ...legend));
      this.user.textContent = "Use masks";
      this.choose(0);
    }

    choose(index) {
      this.rest();
      this.layer = this.layers[index];
      this.strokes = this.layer.strokes;
      this.draw = this.strokes.getContext("2d");
      this.ink = this.layer.ink;
      for (const one of this.layers) {
        one.button.setAttribute("aria-pressed", String(one === this.layer));
        one.strokes.toggleAttribute("data-painted", one === this.layer);
      }
    }

    stretched(strokes) {
      return strokes.hasAttribute("data-stretched");
    }

    finish() {
      // What is shown is used: a mask of another size as it is stretched here, painted on or not.
      const changed = this.layers.filter(
        ({ strokes }) => this.painted(strokes) || this.stretched(strokes),
      );
      const made = async ({ card, strokes }) => ({
        card,
        // One that is black all over, so that its row acts nowhere, is no less of a mask for it.
        mask: this.painted(strokes) && studio.isEmpty(strokes) ? "" : await this.kept(strokes),
      });
      return this.keep(() => Promise.all(changed.map(made)));
    }
  }

  async function ask(cards) {
    const { size, background } = await studio.underMasks();
    const [width, height] = studio.canvasSize(size);
    const layers = await Promise.all(
      cards.map(async (card, index) => {
        const ink = studio.inkOf(index);
        const mask = card.row.mask ? await card.stack.images.show(card.row.mask) : "";
        const strokes = await studio.asStrokes(mask, width, height, ink);
        const text = card.row.prompt.trim() || card.title(card.parts().model || "");
        const words = text.length > 32 ? `${text.slice(0, 31)}…` : text;
        return { card, ink, strokes, label: `${index + 1}${words ? `: ${words}` : ""}` };
      }),
    );
    return new RowsPainter(layers, background).ask();
  }

  /** Paint the masks of these rows over the result, and give each row its own. */
  studio.paintMasks = async function (cards) {
    const answer = await studio.alone(() => ask(cards));
    for (const { card, mask } of answer || []) card.edit({ mask }); // at once: one step of undo
  };
})(window.studio);
