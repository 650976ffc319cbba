// A brush that the keyboard moves over a canvas.
(function (studio) {
  "use strict";
  const { el } = studio;
  const HINT =
    "Arrow keys move the brush, faster with Shift. Space puts it down, and lifts it again.";
  const NEAR =
    "The wheel enlarges, the middle button moves, and two fingers do both. Brush: [ and ], or the wheel with Shift.";
  const [STEP, LEAP] = [0.02, 0.1]; // of the longer edge
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  /** Let the keyboard paint with a painter's brush, which begins in the middle; `rest` lifts it. */
  studio.brushByKeys = function (painter) {
    const { frame, size } = painter;
    const ring = el("span", { class: "gs-brush-ring" });
    const hint = el("p", { class: "gs-work-note gs-brush-hint" }, HINT);
    let [x, y] = [0.5, 0.5]; // in parts of the width and the height
    let down = false;

    const edges = () => [painter.strokes.width, painter.strokes.height];
    const point = () => edges().map((edge, axis) => edge * [x, y][axis]);
    function show() {
      const [width] = edges();
      const { scale, x: left, y: top } = painter.zoom.view();
      const breadth = (100 * scale * painter.breadth()) / width;
      ring.style.cssText = `left: ${100 * (x * scale + left)}%; top: ${100 * (y * scale + top)}%; width: ${breadth}%`;
      ring.toggleAttribute("data-down", down);
    }
    function lay(on) {
      if (on) {
        painter.remember();
        painter.line(point(), point());
      }
      down = on; // not before: what is remembered ends the last stroke
      show();
    }
    function move(direction, leaps) {
      const from = point();
      const step = (leaps ? LEAP : STEP) * Math.max(...edges());
      [x, y] = [x, y].map((at, axis) =>
        Math.min(1, Math.max(0, at + (direction[axis] * step) / edges()[axis])),
      );
      if (down) painter.line(from, point());
      show();
    }

    Object.assign(frame, { tabIndex: 0, role: "application", ariaLabel: "Canvas" });
    frame.append(ring);
    frame.after(hint, el("p", { class: "gs-work-note gs-near-hint" }, NEAR));
    frame.addEventListener("focus", show);
    frame.addEventListener("blur", () => lay(false));
    size.addEventListener("input", show);
    frame.addEventListener("keydown", (event) => {
      const direction = ARROWS[event.key];
      if (event.ctrlKey || event.metaKey) lay(false); // an undo ends the stroke
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (!direction && event.key !== " ") return;
      event.preventDefault();
      if (direction) move(direction, event.shiftKey);
      else if (!event.repeat) lay(!down);
    });
    return {
      rest: () => lay(false),
      show,
      /** The mouse is over this point of the canvas: the brush is shown there. */
      over(point) {
        if (down) return;
        [x, y] = edges().map((edge, axis) => point[axis] / edge);
        show();
      },
    };
  };
})(window.studio);
