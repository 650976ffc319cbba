// Masks as what is painted: opacity of ink on a canvas, and back to white on black.
(function (studio) {
  "use strict";
  const { el } = studio;
  const EDGE = 768;
  const INK = "#6d67f0"; // what is white in the mask, seen on any background

  const asRgb = (ink) => [1, 3, 5].map((at) => parseInt(ink.slice(at, at + 2), 16));

  const CLOSE = 0.01; // of two aspects: half of what the engine takes for one

  /** The luminance of a picture as opacity of ink, on a canvas of the given size; a canvas onto which
   *  a picture of another aspect is stretched says so by `data-stretched`. */
  async function asStrokes(source, width, height, ink = INK) {
    const canvas = el("canvas", { width, height }),
      draw = canvas.getContext("2d", { willReadFrequently: true });
    if (!source) return canvas;
    const image = new Image();
    image.src = source;
    await image.decode().catch(() => null);
    if (!image.naturalWidth) return canvas;
    const bent = (image.naturalWidth / image.naturalHeight) * (height / width);
    canvas.toggleAttribute("data-stretched", Math.abs(bent - 1) > CLOSE);
    draw.drawImage(image, 0, 0, width, height);
    const rgb = asRgb(ink);
    const data = draw.getImageData(0, 0, width, height);
    for (let i = 0; i < data.data.length; i += 4) {
      data.data[i + 3] = Math.round(
        0.299 * data.data[i] + 0.587 * data.data[i + 1] + 0.114 * data.data[i + 2],
      );
      data.data.set(rgb, i);
    }
    draw.putImageData(data, 0, 0);
    return canvas;
  }

  /** Whether nothing is inked. */
  const isEmpty = (canvas) => {
    const { data } = canvas
      .getContext("2d", { willReadFrequently: true })
      .getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 3; at < data.length; at += 4) if (data[at]) return false;
    return true;
  };

  /** What is inked as a mask: white on black, a PNG file. */
  function maskOf(strokes) {
    const whole = el("canvas", { width: strokes.width, height: strokes.height }),
      draw = whole.getContext("2d");
    draw.drawImage(strokes, 0, 0);
    for (const [operation, colour] of [
      ["source-in", "#fff"],
      ["destination-over", "#000"],
    ]) {
      draw.globalCompositeOperation = operation;
      draw.fillStyle = colour;
      draw.fillRect(0, 0, whole.width, whole.height);
    }
    return new Promise((resolve) =>
      whole.toBlob(
        (blob) => resolve(new File([blob], "mask.png", { type: "image/png" })),
        "image/png",
      ),
    );
  }

  /** Width and height of the canvas for a picture of ``size``. */
  const canvasSize = (size) => {
    const scale = Math.min(1, EDGE / Math.max(...size));
    return size.map((side) => Math.max(1, Math.round(side * scale)));
  };
  Object.assign(studio, { INK, asStrokes, isEmpty, maskOf, canvasSize });
})(window.studio);
