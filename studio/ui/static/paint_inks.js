// The colours of rows over a picture: each row has its own, however many there are. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const INKS = [
    "#6d67f0",
    "#ea580c",
    "#0d9488",
    "#db2777",
    "#ca8a04",
    "#2563eb",
    "#65a30d",
    "#9333ea",
  ];
  // After those, hues that go on by the golden angle, which fall between all earlier ones, in turn
  // brighter and darker (OKLCH): where hues come near each other, the lightness is another one.
  const [FIRST, ANGLE, CHROMA] = [175, 137.50776, 0.14];
  const LIGHTNESS = [0.82, 0.42, 0.6, 0.7, 0.5];

  /** A colour of OKLCH as linear RGB; parts lie outside 0 and 1 where no screen has it. */
  function asLinear(lightness, chroma, hue) {
    const turn = (hue * Math.PI) / 180;
    const [a, b] = [chroma * Math.cos(turn), chroma * Math.sin(turn)];
    const [l, m, s] = [
      lightness + 0.3963377774 * a + 0.2158037573 * b,
      lightness - 0.1055613458 * a - 0.0638541728 * b,
      lightness - 0.0894841775 * a - 1.291485548 * b,
    ].map((part) => part ** 3);
    return [
      4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
      -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
    ];
  }

  /** The same as #rrggbb, as colourful as screens have it. */
  function hexOf(lightness, chroma, hue) {
    const linear = asLinear(lightness, chroma, hue);
    if (chroma > 0 && linear.some((part) => part < 0 || part > 1))
      return hexOf(lightness, chroma - 0.005, hue);
    const bytes = linear.map((part) => {
      const shown = part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055;
      return Math.round(255 * Math.min(1, Math.max(0, shown)));
    });
    return `#${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }

  /** The colour of a row. */
  studio.inkOf = function (index) {
    const later = index - INKS.length;
    if (later < 0) return INKS[index];
    const hue = (FIRST + later * ANGLE) % 360;
    return hexOf(LIGHTNESS[later % LIGHTNESS.length], CHROMA, hue);
  };
})(window.studio);
