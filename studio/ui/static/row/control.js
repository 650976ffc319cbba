// A row's control images, what is read from each, and the map that its ControlNet will see.
(function (studio) {
  "use strict";
  const { el, button } = studio;
  const EDGES = {
    low: "From how strong on an edge is drawn where it goes on from another",
    high: "From how strong on an edge is drawn by itself",
  };

  function mapView(card, shown) {
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
      const control = shown();
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
      const answer = await card.stack.images.preview(shown());
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
      open.hidden = !shown()?.image;
      view.hidden = open.hidden || view.dataset.shows !== key();
    }
    return { open, view, read };
  }

  /** The line of the control at a place of a row: {picker, line, map, remove, take, drop, read}. Behind
   *  the first, names end with its number. */
  function controlLine(card, at) {
    const named = (text) => (at ? `${text} ${at + 1}` : text);
    const { preprocessors } = studio.served;
    const nets = () => card.stack.models.controlNets();
    const shown = () => studio.controlsOf(card.row)[at];
    const put = (control) => card.edit(studio.withControl(card.row, at, control));
    const change = (changes) =>
      put({ ...(shown() || studio.firstControl(preprocessors, nets())), ...changes });
    const picker = studio.picker(named("Control image"), (file) => take(file));
    const type = el("select", {
      class: "gs-select",
      "aria-label": named("What is read from the control image"),
      onchange: () => put(studio.withType(shown(), JSON.parse(type.value), nets())),
    });
    const model = el("select", {
      class: "gs-select gs-control-net",
      "aria-label": named("ControlNet of the control image"),
      title: "Which ControlNet reads it",
      onchange: () => change({ model: JSON.parse(model.value) || null }),
    });
    const strength = studio.numberEditor({
      field: studio.fieldOf("Control", "strength"),
      label: named("Control strength"),
      step: 0.05,
      changed: () => change({ strength: strength.write() }),
    });
    const threshold = (name, label) =>
      studio.numberEditor({
        field: studio.fieldOf("Control", name),
        label: named(label),
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
    const map = mapView(card, shown);
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
      named("Crop the control image"),
      () => shown()?.image,
      (image) => change({ image }),
    );
    const remove = button("close", named("Remove control image"), () => {
      const varied = studio.axes.list();
      if (studio.axes.withoutControl(card.stack.cards.indexOf(card), at))
        studio.axesUndoable("The sweep varies the controls that are left.", varied);
      put(null);
      if (!line.checkVisibility()) card.control.remain(); // the keyboard stays with the others
    });
    const line = el(
      "div",
      { class: "gs-line gs-control" },
      at ? el("span", { class: "gs-control-thumb" }, picker.node, picker.input) : null,
      el("span", { class: "gs-tag" }, named("Control")),
      type,
      model,
      el("label", { class: "gs-strength" }, "×", strength.element),
      asItIs,
      crop,
      edgeLine,
      // In one piece: the × never falls onto a line of its own.
      el("span", { class: "gs-line" }, map.open, remove),
    );
    /** Give a picture that came after a while to its control; one that is gone by then gets none. */
    function changeImage(image, count) {
      if (studio.controlsOf(card.row).length >= count) return change({ image });
      return studio.toast("A control image was removed meanwhile; the picture is left out.");
    }
    function share(control, image) {
      const rows = studio.shareControlImage(card, at, control, image).join(", ");
      if (rows)
        studio.toast(`Row ${rows}: the same control had no picture, and has this one, too.`);
    }
    async function take(file) {
      const count = studio.controlsOf(card.row).length;
      const image = await card.keep(file, picker.node);
      const before = shown();
      if (image) changeImage(image, count);
      if (image && before && !before.image && shown()?.image === image) share(before, image);
      return Boolean(image) && shown()?.image === image;
    }
    /** Take a file that was dropped; where other tools read the settings in it, that is offered. */
    async function drop(file) {
      const taken = await take(file);
      if (!taken || (await card.stack.images.seedOf(file)).error) return;
      const said = "The picture is this row's control image now. It carries settings, too.";
      studio.offer(said, "Open them", () => studio.openPreset(file));
    }
    // What is dropped on the first is the row's affair.
    const dropped = (file, own) => (own ? take(file) : drop(file));
    if (at) studio.takesPictures(line, () => true, dropped);
    function read() {
      const control = shown();
      line.hidden = !control;
      edgeLine.hidden = !studio.hasThresholds(control) || control.finished;
      map.read();
      crop.hidden = !control?.image;
      picker.show(
        card.small(control?.image),
        control?.image
          ? named("Replace control image")
          : at
            ? `Add control image ${at + 1} (click, or drop one here)`
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
    }
    return { picker, line, map, remove, take, drop, read };
  }

  studio.rowEditors.control = function (card) {
    const first = controlLine(card, 0);
    const lines = [first]; // one for each that there has been
    const further = el("div");
    const most = studio.mostControls();
    const more = studio.word(
      "Another control image",
      () => {
        const all = studio.controlsOf(card.row);
        const { preprocessors } = studio.served;
        const nets = card.stack.models.controlNets();
        const next = studio.nextControl(all, preprocessors, nets);
        card.edit(studio.withControl(card.row, all.length, next));
        if (!more.checkVisibility()) card.control.remain();
      },
      { title: "Acts together with the others; it begins with the picture of the last" },
    );
    const full = el(
      "p",
      { class: "gs-work-note", role: "status", hidden: true },
      `${most} control images, as many as a row takes.`,
    );
    const adding = el("div", { class: "gs-line gs-another-control" }, more, full);
    return {
      element: el("span", { class: "gs-control-thumb" }, first.picker.node, first.picker.input),
      below: el("div", {}, first.line, first.map.view, further, adding),
      take: first.take,
      drop: first.drop,
      /** Take a picture for each further control that there is: [{number, take}]. */
      further: () =>
        lines
          .map(({ take }, at) => ({ number: at + 1, take }))
          .slice(1, studio.controlsOf(card.row).length),
      /** Have the keyboard where it goes on from a button that went with its line. */
      remain() {
        const last = lines[studio.controlsOf(card.row).length - 1];
        (last?.remove ?? first.picker.node).focus();
      },
      read(row) {
        const count = studio.controlsOf(row).length;
        first.picker.node.hidden = !card.takesControl();
        while (lines.length < count) {
          const one = controlLine(card, lines.length);
          lines.push(one);
          further.append(one.line, one.map.view);
        }
        for (const one of lines) one.read();
        more.hidden = count >= most || !row.control?.image;
        full.hidden = count < most;
        adding.hidden = !count || (more.hidden && full.hidden);
      },
      write: () => ({ control: card.row.control, controls: card.row.controls ?? [] }),
    };
  };
})(window.studio);
