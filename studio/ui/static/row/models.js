// The models that a page knows, beside its base: which of them a row can use, and what they say of texts.
(function (studio) {
  "use strict";
  const TITLES = {
    concept: "Concepts",
    lora: "LoRAs",
    finetune: "Fine-tunes",
    pipeline: "Other bases",
    other: "Not in the library",
  };
  // What a row's model can be, by the kinds of the library.
  const kinds = () => ({
    concept: ["concept"],
    lora: studio.served.adapters,
    finetune: ["finetune"],
    pipeline: ["base"],
  });

  studio.RowModels = class {
    all = [];
    base = "";
    vae = "";

    entryOf(id) {
      return this.all.find((entry) => entry.id === id);
    }

    /** The most tokens that one window of the base's text encoder takes; 0 where that is unknown. */
    tokenLimit() {
      return this.entryOf(this.base)?.tokens || 0;
    }

    /** Whether what is over goes into further windows; some encoders read one alone. */
    windows() {
      return this.entryOf(this.base)?.windows !== false;
    }

    /** Whether a model can be a row's, beside the base. */
    fits(entry) {
      const base = this.entryOf(this.base) || {};
      const same = (a, b) => !a || !b || a === b;
      return (
        !entry.problem &&
        (entry.kind === "base"
          ? entry.id !== this.base && same(entry.space, base.space)
          : (!entry.base || entry.base === this.base) && same(entry.family, base.family))
      );
    }

    /** The words that models of the library have learned, and that a row on this base can call. */
    triggers() {
      const calls = this.all.filter((entry) => entry.trigger && this.fits(entry));
      return studio.learnedWords(calls.map(({ trigger }) => trigger));
    }

    /** Models of some kinds that fit the base, as the options of a select. */
    options(kinds, value) {
      return this.all
        .filter((entry) => kinds.includes(entry.kind) && this.fits(entry))
        .map((entry) => ({ value: [value, entry.id], text: entry.title || entry.id, own: true }));
    }

    /** Groups of a row's models; ``current``, [kind, id], is among them even where it is not known. */
    groups(current) {
      const groups = [
        {
          title: "",
          options: [
            { value: ["base", ""], text: this.base ? `${this.base} (base)` : "base model" },
          ],
        },
      ];
      for (const [value, names] of Object.entries(kinds())) {
        const options = this.options(names, value);
        if (options.length) groups.push({ title: TITLES[value], options });
      }
      const [kind, id] = current;
      if (
        kind !== "base" &&
        !groups.some((group) =>
          group.options.some(({ value }) => value[0] === kind && value[1] === id),
        )
      )
        groups.push({
          title: kind !== "other" && this.entryOf(id) ? "For another base" : TITLES.other,
          options: [{ value: [kind, id], text: id, own: true }],
        });
      return groups;
    }

    controlNets() {
      return studio.controlNets(this.all, this.base);
    }

    /** The base's own size, in the pixels of the autoencoder that decodes it. */
    native() {
      return studio.nativeSize(this.entryOf(this.base), this.entryOf(this.vae));
    }
  };

  /** How many times larger an autoencoder makes a picture than the base's own, of the same latents. */
  studio.largerBy = (base, vae) => (base?.factor && vae?.factor ? vae.factor / base.factor : 1);

  /** The size that a base makes, in the pixels of the autoencoder that decodes it. */
  studio.nativeSize = (base, vae) => base?.size && base.size * studio.largerBy(base, vae);

  /** Width and height of the picture to be made: as given, else the base's own. */
  studio.pictureSize = function () {
    const native = studio.stack?.models.native() || 512;
    const given = [...document.querySelectorAll(".gs-side input")].map(
      (box) => Number(box.value) || native,
    );
    return given.length === 2 ? given : [native, native];
  };
})(window.studio);
