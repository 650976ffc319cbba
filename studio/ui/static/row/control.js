// A row's control image, what is read from it, and the map that the ControlNet will see.
(function (studio) {
  "use strict";
  const { el, button } = studio;
  const EDGES = {
    low: "From how strong on an edge is drawn where it goes on from another",
    high: "From how strong on an edge is drawn by itself",
  };

  function mapView(card) {
    const open = el(
      "button",
      {
        type: "button",
        class: "gs-tool gs-map-button",
        title: "Show what is read from the control image",
        onclick: () => preview(),
      },
      "Preview map",
    );
    const image = el("img", {
      class: "gs-map-image",
      alt: "The map that is read from the control image",
    });
    const save = el("a", { class: "gs-map-save", download: "map.png" }, "Save map");
    const view = el("div", { class: "gs-map", hidden: true }, image, save);
    const key = () => {
      const { control } = card.row;
      const size = studio.pictureSize();
      return JSON.stringify([
        control?.image,
        control?.type,
        control?.finished,
        control?.low,
        control?.high,
        card.stack.models.base,
        size,
      ]);
    };
    async function preview() {
      const asked = key();
      open.disabled = true;
      const answer = await card.stack.images.preview(card.row.control);
      open.disabled = false;
      if (answer.error) {
        studio.toast(answer.error);
        return;
      }
      if (asked !== key()) return;
      image.src = save.href = answer.map;
      view.dataset.shows = asked;
      read();
    }
    /** A map of another image or preprocessor is no longer shown. */
    function read() {
      open.hidden = !card.row.control?.image;
      view.hidden = open.hidden || view.dataset.shows !== key();
    }
    return { open, view, read };
  }

  studio.rowEditors.control = function (card) {
    const picker = studio.picker("Control image", (file) => take(file));
    const nets = () => card.stack.models.controlNets();
    const type = el("select", {
      class: "gs-select",
      "aria-label": "What is read from the control image",
      onchange: () =>
        card.edit({ control: studio.withType(card.row.control, JSON.parse(type.value), nets()) }),
    });
    const model = el("select", {
      class: "gs-select gs-control-net",
      "aria-label": "ControlNet of the control image",
      title: "Which ControlNet reads it",
      onchange: () => change({ model: JSON.parse(model.value) || null }),
    });
    const strength = studio.numberEditor({
      field: studio.fieldOf("Control", "strength"),
      label: "Control strength",
      step: 0.05,
      changed: () => change({ strength: strength.write() }),
    });
    const threshold = (name, label) =>
      studio.numberEditor({
        field: studio.fieldOf("Control", name),
        label,
        step: 5,
        changed: () => change({ [name]: edges[name].write() }),
      });
    const edges = {
      low: threshold("low", "Low threshold"),
      high: threshold("high", "High threshold"),
    };
    const edgeLine = el(
      "span",
      { class: "gs-line" },
      ...Object.entries(edges).map(([name, { element }]) =>
        el("label", { class: "gs-strength", title: EDGES[name] }, `${name} `, element),
      ),
    );
    const map = mapView(card);
    const finished = el("input", {
      type: "checkbox",
      class: "gs-check",
      onchange: () => change({ finished: finished.checked }),
    });
    const asItIs = el(
      "label",
      {
        class: "gs-strength gs-finished",
        title: "The picture is such a map already, and is taken as it is",
      },
      finished,
      "is the map",
    );
    const crop = studio.cropButton(
      card.stack.images,
      "Crop the control image",
      () => card.row.control?.image,
      (image) => change({ image }),
    );
    const line = el(
      "div",
      { class: "gs-line gs-control" },
      el("span", { class: "gs-tag" }, "Control"),
      type,
      model,
      el("label", { class: "gs-strength" }, "×", strength.element),
      asItIs,
      crop,
      edgeLine,
      // In one piece: the × never falls onto a line of its own.
      el(
        "span",
        { class: "gs-line" },
        map.open,
        button("close", "Remove control image", () => card.edit({ control: null })),
      ),
    );

    const { preprocessors } = studio.served;
    const change = (changes) =>
      card.edit({
        control: {
          ...(card.row.control || studio.firstControl(preprocessors, nets())),
          ...changes,
        },
      });
    async function take(file) {
      const image = await card.keep(file, picker.node);
      if (image) change({ image });
      return Boolean(image);
    }
    /** Take a file that was dropped; where other tools read the settings in it, that is offered. */
    async function drop(file) {
      const taken = await take(file);
      if (!taken || (await card.stack.images.seedOf(file)).error) return;
      const said = "The picture is this row's control image now. It carries settings, too.";
      studio.offer(said, "Open them", () => studio.openPreset(file));
    }
    return {
      element: el("span", { class: "gs-control-thumb" }, picker.node, picker.input),
      below: el("div", {}, line, map.view),
      take,
      drop,
      read(row) {
        const { control } = row;
        picker.node.hidden = !card.takesControl();
        line.hidden = control === null;
        edgeLine.hidden = !studio.hasThresholds(control) || control.finished;
        map.read();
        crop.hidden = !control?.image;
        picker.show(
          card.small(control?.image),
          control?.image
            ? "Replace control image"
            : "Add a control image (click, or drop one here)",
        );
        if (!control) return;
        studio.fill(type, studio.readings(preprocessors, nets(), control.type));
        type.value = JSON.stringify(control.type);
        const options = studio.netOptions(nets(), control.type, control.model);
        studio.fill(model, [{ title: "", options }]);
        model.value = JSON.stringify(control.model || "");
        model.hidden = options.length < 2;
        strength.read(control.strength);
        for (const [name, editor] of Object.entries(edges))
          editor.read(control[name] ?? studio.fieldOf("Control", name).default);
        finished.checked = Boolean(control.finished);
        asItIs.hidden = control.type === studio.FINISHED;
      },
      write: () => ({ control: card.row.control }),
    };
  };
})(window.studio);
