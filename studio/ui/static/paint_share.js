// Strokes of a part of the brush's strength, which are grey in a mask.
(function (studio) {
  "use strict";
  const { el } = studio;

  function blank({ width, height }) {
    return el("canvas", { width, height });
  }

  /** How strongly a painter's brush covers: a stroke is even where it crosses itself, and one over
   *  another adds to it. `begin` comes before each stroke, `lay(operation, paint)` puts more of it
   *  onto the canvas: `paint` draws that, opaque, with the context that it is given. */
  studio.brushShare = function (painter) {
    let before = null; // the canvas without the stroke
    let stroke = null; // what was painted of it, opaque
    const range = el("input", {
      type: "range",
      min: 5,
      max: 100,
      step: 5,
      value: 100,
      "aria-label": "Brush strength",
    });
    const help =
      "Below its end, a stroke is grey: in a row's mask the row acts there with that part of its weight; in a start picture's, with Soft inpainting, its place is changed less strongly.";
    return {
      // Not on a picture: a colour is a colour.
      element: el(
        "label",
        { class: "gs-brush", title: help, "data-fills": "part" },
        "Strength",
        range,
      ),
      begin: () => (before = stroke = null),
      lay(operation, paint) {
        const { draw, strokes } = painter;
        const share = Number(range.value) / 100;
        if (share === 1) {
          draw.globalCompositeOperation = operation;
          return paint(draw);
        }
        if (!stroke) {
          [before, stroke] = [blank(strokes), blank(strokes)];
          before.getContext("2d").drawImage(strokes, 0, 0);
        }
        paint(stroke.getContext("2d"));
        draw.globalCompositeOperation = "copy";
        draw.drawImage(before, 0, 0);
        draw.globalCompositeOperation = operation;
        draw.globalAlpha = share;
        draw.drawImage(stroke, 0, 0);
        draw.globalAlpha = 1;
      },
    };
  };
})(window.studio);
