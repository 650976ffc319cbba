// Pictures that are part of a row's condition: one to edit, and one that is shown to the network.
(function (studio) {
  "use strict";
  const { el, button } = studio;

  Object.assign(studio.Card.prototype, {
    /** Keep a file among the studio's images; its reference, or null. */
    async keep(file, thumb, mask = false) {
      if (!file) return null;
      thumb.classList.add("gs-busy");
      const answer = await this.stack.storeImage(file, mask);
      thumb.classList.remove("gs-busy");
      if (answer.error) studio.toast(answer.error);
      return answer.image || null;
    },

    small(image) {
      return image && (this.stack.thumbs[image] || (image.startsWith("data:image/") ? image : ""));
    },

    // -- a picture to edit ------------------------------------------------------------------------
    buildEdited() {
      const picker = studio.picker("Picture to edit", async (file) => {
        const image = await this.keep(file, picker.node);
        if (image) this.edit({ image });
      });
      this.showEdited = picker.show;
      this.clearEdited = button("close", "Remove the picture to edit", () =>
        this.edit({ image: "" }),
      );
      this.editedLine = el(
        "div",
        { class: "gs-line" },
        el("span", { class: "gs-tag", title: "What an editing model changes" }, "Picture"),
        picker.node,
        picker.input,
        this.clearEdited,
      );
      return this.editedLine;
    },

    refreshEdited() {
      const { image } = this.row,
        network = this.entry(this.parts().model || this.stack.base);
      this.editedLine.hidden = !image && !network?.edits;
      this.clearEdited.hidden = !image;
      this.showEdited(this.small(image));
    },

    // -- an image prompt --------------------------------------------------------------------------
    buildShown() {
      const picker = studio.picker("Image prompt: a picture to take after", async (file) => {
        const image = await this.keep(file, picker.node);
        if (image) this.editShown({ image });
      });
      this.showShown = picker.show;
      this.reader = el("select", {
        class: "gs-select",
        "aria-label": "IP-Adapter that reads the image prompt",
        onchange: () =>
          this.row.image_prompt && this.editShown({ model: JSON.parse(this.reader.value)[1] }),
      });
      this.shownStrength = studio.numberBox(
        "Strength of the image prompt",
        () => this.row.image_prompt?.strength ?? 1,
        (strength) => this.editShown({ strength }),
        0,
        4,
        0.05,
      );
      this.shownLabel = el("label", { class: "gs-strength" }, "×", this.shownStrength);
      this.clearShown = button("close", "Remove the image prompt", () =>
        this.edit({ image_prompt: null }),
      );
      this.shownLine = el(
        "div",
        { class: "gs-line" },
        el(
          "span",
          { class: "gs-tag", title: "A picture that the row is told of besides its text" },
          "Image",
        ),
        picker.node,
        picker.input,
        this.reader,
        this.shownLabel,
        this.clearShown,
      );
      return this.shownLine;
    },

    editShown(changes) {
      const empty = {
        image: "",
        model: JSON.parse(this.reader.value || '["", ""]')[1],
        strength: 1,
      };
      this.edit({ image_prompt: { ...empty, ...(this.row.image_prompt || {}), ...changes } });
    },

    refreshShown() {
      const shown = this.row.image_prompt,
        options = this.stack.modelOptions(["ip-adapter"], "reader");
      if (shown && !options.some(({ value }) => value[1] === shown.model))
        options.push({ value: ["reader", shown.model], text: shown.model });
      this.fill(this.reader, [{ title: "", options }]);
      if (shown) this.reader.value = JSON.stringify(["reader", shown.model]);
      this.shownLine.hidden = !shown && (!options.length || this.kind() === "concept");
      this.shownLabel.hidden = this.clearShown.hidden = !shown;
      this.shownStrength.refresh();
      this.showShown(this.small(shown?.image));
    },
  });
})(window.studio);
