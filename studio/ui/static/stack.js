// The guidance stack: an ordered list of cards over one JSON value, {rows, thumbs}.
(function (studio) {
  "use strict";
  const { el, icon } = studio;
  const LONG = 20; // rows from which those out of sight are not laid out
  class Stack {
    constructor(element, props, server, upload, { max_rows: most, served }) {
      Object.assign(this, { props, most, server, cards: [], dragged: null });
      studio.served = served;
      this.models = new studio.RowModels();
      this.images = new studio.RowImages(server, upload, this.models);
      this.wildcards = studio.wildcardsOf(() => this.server.wildcard_names({}));
      this.tags = studio.tagsOf((typed) => this.server.tags_like(typed), studio.toast);
      this.list = el("div", { class: "gs-list", role: "list" });
      this.count = el("span", { class: "gs-count" });
      this.scale = studio.scaleField(this);
      this.bulk = studio.bulkOf(this);
      this.adder = el(
        "button",
        { type: "button", class: "gs-add", onclick: () => this.add() },
        icon("plus"),
        "Add row",
      );
      this.negative = studio.negativeAdder(this);
      this.empty = el(
        "p",
        { class: "gs-empty" },
        "No rows: the image is what the base model draws unguided. Add a row to steer it.",
      );
      this.shares = studio.sharesOfStack(this);
      this.full = el("p", { class: "gs-full", role: "status", hidden: true });
      element.replaceChildren(
        el(
          "div",
          { class: "gs-head" },
          el("h2", {}, "Guidance"),
          this.count,
          this.scale.element,
          this.negative.element,
          studio.stylesNear(),
          this.bulk.element,
        ),
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
        this.models.all = models;
        this.refresh();
      });
      studio.on("base", (base) => {
        this.models.base = base || "";
        this.refresh();
      });
      studio.on("vae", (vae) => {
        this.models.vae = vae || "";
        this.refresh();
      });
      studio.axes.on((why) => why !== "text" && why !== "rows" && this.refresh());
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
      this.scale.forget();
      const goBack = this.held();
      const value = studio.clone(this.props.value) || {};
      Object.assign(this.images.thumbs, value.thumbs || {});
      const earlier = this.cards || [];
      const before = earlier.map((card) => studio.asText(card.row));
      this.cards = (value.rows || []).map((row) => new studio.Card(studio.fullRow(row), this));
      this.arranged = this.cards;
      const now = this.cards.map((card) => studio.asText(card.row));
      // Of a page that is being filled no row has come back.
      const texts = studio.isFilled() ? [before, now] : [];
      const places = studio.placesOfRows(before, now);
      studio.axes.follow(places, ...texts);
      // What a step takes back is seen where it is: a row that was open stays open.
      if (studio.undoSettles())
        earlier.forEach((card, at) => card.opened && this.cards[places[at]]?.open(true));
      this.list.replaceChildren(...this.cards.map((card) => card.node));
      this.arrange();
      this.shares.placed();
      goBack();
    }

    commit() {
      this.shares.edited();
      this.scale.read();
      this.negative.read();
      if (this.cards.some((card) => card.row.solo) || this.hadSolo) this.refresh();
      this.hadSolo = this.cards.some((card) => card.row.solo);
      this.handing ??= studio.afterPaint(() => this.handOver());
    }

    /** Give the rows to the form. Gradio takes a while over it, so that an edit is painted first. */
    handOver() {
      if (!this.handing) return; // others have come from the server
      this.handing = null;
      const small = this.images.thumbs;
      const used = this.cards
        .flatMap((card) => [
          ...studio.controlsOf(card.row).map(({ image }) => image),
          card.row.mask,
          card.row.image,
          card.row.image_prompt?.image,
        ])
        .filter((image) => small[image]);
      const thumbs = Object.fromEntries(used.map((image) => [image, small[image]]));
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
      this.scale.read();
      this.list.classList.toggle("gs-long", total > LONG);
      this.empty.hidden = total > 0;
      const { most } = this;
      this.full.hidden = total < most;
      this.full.textContent =
        total > most
          ? `At most ${most} rows on this page: delete ${total - most} to generate.`
          : `${most} rows, as many as this page takes.`;
      for (const one of [this.adder, this.negative.element])
        studio.stops(one, total < most ? "" : this.full.textContent);
      this.negative.read();
    }

    refresh() {
      const native = this.models.native();
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
      studio.focusNext(() => card.focus());
      return card;
    }

    /** The usual negative prompt behind a row, of weight −(w − 1) beside it or of the weight that is given. */
    addNegative(card, given = {}) {
      const added = this.add({ ...studio.negativeOf(card.row, ""), ...given }, card);
      if (added) added.prompt.placeholder = "what the picture should not show";
      return added;
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
      studio.focusNext(() => next.focus());
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
  }

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
