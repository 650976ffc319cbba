// The map that a preprocessor makes of a row's control image, shown beside it on demand.
(function (studio) {
  "use strict";
  const { el } = studio;

  Object.assign(studio.Card.prototype, {
    buildMap() {
      this.mapButton = el(
        "button",
        {
          type: "button",
          class: "gs-tool gs-map-button",
          title: "Show what is read from the control image",
          onclick: () => this.previewMap(),
        },
        "Preview map",
      );
      this.mapImage = el("img", {
        class: "gs-map-image",
        alt: "The map that is read from the control image",
      });
      this.mapSave = el("a", { class: "gs-map-save", download: "map.png" }, "Save map");
      this.mapView = el("div", { class: "gs-map", hidden: true }, this.mapImage, this.mapSave);
      return this.mapView;
    },

    async previewMap() {
      const asked = this.mapKey();
      this.mapButton.disabled = true;
      const answer = await this.stack.previewMap(this.row.control);
      this.mapButton.disabled = false;
      if (answer.error) {
        studio.toast(answer.error);
        return;
      }
      if (asked !== this.mapKey()) return;
      this.mapImage.src = this.mapSave.href = answer.map;
      this.mapView.dataset.shows = asked;
      this.refreshMap();
    },

    mapKey() {
      return JSON.stringify([
        this.row.control?.image,
        this.row.control?.type,
        this.stack.base,
        studio.pictureSize(),
      ]);
    },

    /** A map of another image or preprocessor is no longer shown. */
    refreshMap() {
      this.mapButton.hidden = !this.row.control?.image;
      this.mapView.hidden =
        !this.row.control?.image || this.mapView.dataset.shows !== this.mapKey();
    },
  });
})(window.studio);
