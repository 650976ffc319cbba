// The guidance stack: an ordered list of cards over one JSON value, {rows, thumbs}.
(function (studio) {
  "use strict";
  const { el, icon } = studio;
  const LONG = 20; // rows from which those out of sight are not laid out
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

  class Stack {
    constructor(element, props, server, upload, { max_rows: most, served }) {
      Object.assign(this, {
        props,
        most,
        server,
        upload,
        cards: [],
        thumbs: {},
        base: "",
        dragged: null,
      });
      studio.served = served;
      this.models = [];
      this.list = el("div", { class: "gs-list", role: "list" });
      this.count = el("span", { class: "gs-count" });
      this.bulk = studio.bulkOf(this);
      this.adder = el(
        "button",
        { type: "button", class: "gs-add", onclick: () => this.add() },
        icon("plus"),
        "Add row",
      );
      this.empty = el(
        "p",
        { class: "gs-empty" },
        "No rows: the image is what the base model draws unguided. Add a row to steer it.",
      );
      this.shares = studio.sharesOfStack(this);
      this.full = el("p", { class: "gs-full", role: "status", hidden: true });
      element.replaceChildren(
        el("div", { class: "gs-head" }, el("h2", {}, "Guidance"), this.count, this.bulk.element),
        this.bulk.bar,
        this.list,
        this.empty,
        this.adder,
        this.full,
        this.shares.element,
      );
      this.list.addEventListener("dragover", (event) => this.dragOver(event));
      this.list.addEventListener("drop", (event) => {
        if (this.dragged) event.preventDefault();
      });
      studio.on("models", (models) => {
        this.models = models;
        this.refresh();
      });
      studio.on("base", (base) => {
        this.base = base || "";
        this.refresh();
      });
      studio.on("vae", (vae) => {
        this.vae = vae || "";
        this.refresh();
      });
      studio.axes.on((why) => why !== "text" && this.refresh());
      studio.on("fault", ({ field, text }) => {
        const [, row, path = ""] = (field || "").match(/^rows\.(\d+)(?:\.(.*))?$/) || [];
        this.cards.forEach((card, index) =>
          card.showFault(index === Number(row) ? text : "", path),
        );
      });
      this.read();
    }

    /** Where the keyboard is in the rows; called when these are made anew, it goes back there. */
    held() {
      const node = document.activeElement;
      const at = (this.cards || []).findIndex((card) => card.node.contains(node));
      const label = node?.getAttribute("aria-label");
      return () => {
        const card = this.cards[Math.min(at, this.cards.length - 1)];
        if (at < 0 || !card) return;
        const fits = (one) => one.getAttribute("aria-label") === label && one.checkVisibility();
        const same = [...card.node.querySelectorAll("[aria-label]")].find(fits);
        (same || card.node.querySelector(".gs-more")).focus({ preventScroll: true });
      };
    }

    /** Take over what the server sent. */
    read() {
      this.handing = null;
      const goBack = this.held();
      const value = studio.clone(this.props.value) || {};
      Object.assign(this.thumbs, value.thumbs || {});
      const before = (this.cards || []).map((card) => studio.asText(card.row));
      this.cards = (value.rows || []).map((row) => new studio.Card(studio.fullRow(row), this));
      this.arranged = this.cards;
      const now = this.cards.map((card) => studio.asText(card.row));
      studio.axes.follow(studio.placesOfRows(before, now), before, now);
      this.list.replaceChildren(...this.cards.map((card) => card.node));
      this.arrange();
      this.shares.placed();
      goBack();
    }

    commit() {
      this.shares.edited();
      if (this.cards.some((card) => card.row.solo) || this.hadSolo) this.refresh();
      this.hadSolo = this.cards.some((card) => card.row.solo);
      this.handing ??= studio.afterPaint(() => this.handOver());
    }

    /** Give the rows to the form. Gradio takes a while over it, so that an edit is painted first. */
    handOver() {
      if (!this.handing) return; // others have come from the server
      this.handing = null;
      const used = this.cards
        .flatMap((card) => [
          card.row.control?.image,
          card.row.mask,
          card.row.image,
          card.row.image_prompt?.image,
        ])
        .filter((image) => this.thumbs[image]);
      const thumbs = Object.fromEntries(used.map((image) => [image, this.thumbs[image]]));
      const rows = this.cards.map((card) => studio.clone(card.row));
      // Of an object without a prototype Svelte watches no field, and copies all of them at once.
      this.props.value = Object.assign(Object.create(null), { rows, thumbs });
    }

    arrange() {
      const total = this.cards.length;
      const [before, now] = [this.arranged, this.cards];
      const texts = (cards) => cards.map((card) => studio.asText(card.row));
      const places = before.map((card) => now.indexOf(card));
      studio.axes.follow(places, texts(before), texts(now));
      this.arranged = [...this.cards];
      this.cards.forEach((card, index) => card.showPlace(index, total));
      this.count.textContent = `${total} ${total === 1 ? "row" : "rows"}`;
      this.bulk.read();
      this.list.classList.toggle("gs-long", total > LONG);
      this.empty.hidden = total > 0;
      const { most } = this;
      this.full.hidden = total < most;
      this.full.textContent =
        total > most
          ? `At most ${most} rows on this page: delete ${total - most} to generate.`
          : `${most} rows, as many as this page takes.`;
      studio.stops(this.adder, total < most ? "" : this.full.textContent);
    }

    refresh() {
      const native = studio.nativeSize(this.entryOf(this.base), this.entryOf(this.vae));
      for (const box of document.querySelectorAll(".gs-side input"))
        box.placeholder = native ? `${native} (native)` : "native";
      this.cards.forEach((card) => card.refresh());
      this.bulk.read();
    }

    // -- rows -------------------------------------------------------------------------------
    add(row, after) {
      if (!this.full.hidden) {
        studio.toast(this.full.textContent);
        return null;
      }
      const weight = studio.firstWeight(this.cards.length);
      const card = new studio.Card(studio.fullRow({ weight, ...row }), this);
      card.node.classList.add("gs-fresh"); // in sight: laid out once, at once
      const place = after ? this.cards.indexOf(after) + 1 : this.cards.length;
      this.list.insertBefore(card.node, this.cards[place]?.node || null);
      this.cards.splice(place, 0, card);
      this.arrange();
      this.commit();
      card.focus(); // at once: what is typed next is meant for it
      return card;
    }

    /** The usual negative prompt: a row of weight −(w − 1) beside one of weight w. */
    addNegative(card) {
      const added = this.add(studio.negativeOf(card.row, ""), card);
      if (added) added.prompt.placeholder = "what the picture should not show";
    }

    duplicate(card) {
      this.add(card.row, card);
    }

    remove(card) {
      const place = this.cards.indexOf(card);
      card.node.remove();
      this.cards.splice(place, 1);
      this.arrange();
      this.commit();
      const next = this.cards[Math.min(place, this.cards.length - 1)] || this.adder;
      // Among many rows a new focus takes as long as all else: the row is seen to go first.
      studio.afterPaint(() => {
        if (document.activeElement === document.body) next.focus();
      });
    }

    removeAll(cards) {
      for (const card of cards) card.node.remove();
      this.cards = this.cards.filter((card) => !cards.includes(card));
      this.arrange();
      this.commit();
    }

    /** Move several by one place; those at the end stay, and none passes another. */
    moveAll(cards, by) {
      const order = by < 0 ? cards : [...cards].reverse();
      const stuck = new Set();
      for (const card of order) {
        const next = this.cards[this.cards.indexOf(card) + by];
        if (!next || stuck.has(next)) stuck.add(card);
        else this.move(card, by);
      }
    }

    /** Move by one place. The neighbour's node is the one that moves, so focus and caret stay. */
    move(card, by) {
      const place = this.cards.indexOf(card),
        target = place + by;
      if (target < 0 || target >= this.cards.length) return;
      const other = this.cards[target];
      this.cards[place] = other;
      this.cards[target] = card;
      if (by < 0) card.node.after(other.node);
      else card.node.before(other.node);
      this.arrange();
      this.commit();
    }

    silenced(row) {
      return !row.solo && this.cards.some((card) => card.row.solo && card.row.enabled);
    }

    // -- dragging ---------------------------------------------------------------------------
    dragStart(card, event) {
      this.dragged = card;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "row");
      event.dataTransfer.setDragImage(card.node, 20, 20);
      card.node.classList.add("gs-dragged");
    }

    dragOver(event) {
      if (!this.dragged) return;
      event.preventDefault();
      const others = this.cards.filter((card) => card !== this.dragged);
      const next = others.find((card) => {
        const box = card.node.getBoundingClientRect();
        return event.clientY < box.top + box.height / 2;
      });
      const before = next ? next.node : null;
      if (this.dragged.node.nextSibling !== before)
        this.list.insertBefore(this.dragged.node, before);
    }

    dragEnd() {
      this.dragged?.node.classList.remove("gs-dragged");
      this.dragged = null;
      const order = [...this.list.children];
      this.cards.sort((a, b) => order.indexOf(a.node) - order.indexOf(b.node));
      this.arrange();
      this.commit();
    }

    entryOf(id) {
      return this.models.find((entry) => entry.id === id);
    }

    /** The most tokens that one window of the base's text encoder takes; 0 where that is unknown. */
    tokenLimit() {
      return this.entryOf(this.base)?.tokens || 0;
    }

    /** Whether what is over goes into further windows; some encoders read one alone. */
    windows() {
      return this.entryOf(this.base)?.windows !== false;
    }

    // -- models and control -----------------------------------------------------------------
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
      return this.models
        .filter((entry) => entry.trigger && this.fits(entry))
        .map(({ trigger }) => trigger);
    }

    /** Models of some kinds that fit the base, as the options of a select. */
    modelOptions(kinds, value) {
      return this.models
        .filter((entry) => kinds.includes(entry.kind) && this.fits(entry))
        .map((entry) => ({ value: [value, entry.id], text: entry.title || entry.id, own: true }));
    }

    /** Groups of a row's models; ``current``, [kind, id], is among them even where it is not known. */
    modelGroups(current) {
      const groups = [
        {
          title: "",
          options: [
            { value: ["base", ""], text: this.base ? `${this.base} (base)` : "base model" },
          ],
        },
      ];
      for (const [value, names] of Object.entries(kinds())) {
        const options = this.modelOptions(names, value);
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
          title: kind === "other" ? TITLES.other : "For another base",
          options: [{ value: [kind, id], text: id, own: true }],
        });
      return groups;
    }

    controlNets() {
      return studio.controlNets(this.models, this.base);
    }

    /** Keep a file among the studio's images: {image, thumb, sent} or {error}, which names the file. */
    async storeImage(file, mask = false) {
      try {
        const sent = await this.upload(file);
        const answer = await this.server.store_image({
          path: sent.path,
          meta: { _type: "gradio.FileData" },
          mask,
        });
        if (answer.image) this.thumbs[answer.image] = answer.thumb;
        if (answer.error && file.name)
          answer.error = answer.error.replace(/^(image|mask)(?=: )/, () => file.name);
        return { ...answer, sent: { path: sent.path, meta: { _type: "gradio.FileData" } } };
      } catch (error) {
        return { error: `The image could not be uploaded (${error.message || error})` };
      }
    }

    /** The seed of the preset that a picture carries: {seed} or {error}. */
    async seedOf(file) {
      try {
        const { path } = await this.upload(file);
        return await this.server.seed_of({ path, meta: { _type: "gradio.FileData" } });
      } catch (error) {
        return { error: `The picture could not be read (${error.message || error})` };
      }
    }

    /** Whether a mask has the aspect of an image; null where that cannot be told. */
    async maskFits(mask, image) {
      try {
        return (await this.server.mask_fits({ mask, image })).fits ?? null;
      } catch {
        return null;
      }
    }

    /** A part of an image as an image of its own: {image} or {error}. */
    async cropImage(image, box) {
      try {
        const answer = await this.server.crop_image({ image, box });
        if (answer.image) this.thumbs[answer.image] = answer.thumb;
        return answer;
      } catch (error) {
        return { error: `The crop could not be made (${error.message || error})` };
      }
    }

    /** Where the face in an image is: {box} or {error}. */
    async findFace(image) {
      try {
        return await this.server.find_face(image);
      } catch (error) {
        return { error: `The face could not be looked for (${error.message || error})` };
      }
    }

    async previewMap(control) {
      try {
        return await this.server.preview_map({
          control,
          base: this.base,
          size: studio.pictureSize(),
        });
      } catch (error) {
        return { error: `The map could not be made (${error.message || error})` };
      }
    }

    /** An image of a preset, large enough to paint on; "" where it cannot be read. */
    async showImage(reference) {
      try {
        const answer = await this.server.show_image(reference);
        if (answer.error) studio.toast(answer.error);
        return answer.src || "";
      } catch {
        return "";
      }
    }
  }

  /** The size that a base makes, in the pixels of the autoencoder that decodes it. */
  studio.nativeSize = (base, vae) =>
    base?.size && vae?.multiple && base.multiple
      ? (base.size / base.multiple) * vae.multiple
      : base?.size;

  /** Width and height of the picture to be made: as given, else the base's own. */
  studio.pictureSize = function () {
    const { stack } = studio;
    const native = studio.nativeSize(stack?.entryOf(stack.base), stack?.entryOf(stack.vae)) || 512;
    const given = [...document.querySelectorAll(".gs-side input")].map(
      (box) => Number(box.value) || native,
    );
    return given.length === 2 ? given : [native, native];
  };

  studio.mountStack = function (element, props, server, upload, watch, constants) {
    const stack = new Stack(element, props, server, upload, constants);
    watch("value", () => stack.read());
    studio.stack = stack;
    // What is pressed elsewhere, such as Generate, finds the rows in the form.
    for (const kind of ["pointerdown", "click", "keydown", "drop", "paste"])
      document.addEventListener(
        kind,
        ({ target, ctrlKey, metaKey }) => {
          if (ctrlKey || metaKey || !element.contains(target)) stack.handing?.();
        },
        true,
      );
  };
})(window.studio);
