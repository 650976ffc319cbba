// Numbers as people type them, checked against the schema's bounds. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  const written = (value) => String(value).replace("-", "−");
  const MOST_SAID = 40; // characters of what was typed, or pasted
  const shortened = (text) =>
    text.length > MOST_SAID ? `${text.slice(0, MOST_SAID - 1)}…` : String(text);

  /** What a field allows, in words: "from 1 to 200", "above 0". */
  studio.allowed = function ({ kind, low, high, above, below }) {
    const whole = kind === "integer" ? "a whole number " : "";
    const least = low ?? above;
    const most = high ?? below;
    const words = [];
    if (least !== undefined && most !== undefined && above === undefined && below === undefined)
      words.push(`from ${written(least)} to ${written(most)}`);
    else {
      if (least !== undefined)
        words.push(above === undefined ? `at least ${written(low)}` : `above ${written(above)}`);
      if (most !== undefined)
        words.push(below === undefined ? `at most ${written(high)}` : `below ${written(below)}`);
    }
    return `${whole}${words.join(" and ")}`.trim() || "a number";
  };

  // Of keyboards for Arabic, Persian and (at full width) East Asian text: zeros, and what else differs.
  const ZEROS = [0x0660, 0x06f0, 0xff10];
  const SIGNS = { "−": "-", "－": "-", "＋": "+", "．": ".", "，": ",", "٫": "," };
  /** A typed number in the digits and signs that programs read. */
  studio.latin = (text) =>
    String(text ?? "")
      .replace(/[\u061c\u200e\u200f]/g, "") // marks of direction
      .trim()
      .replace(/[٠-٩۰-۹０-９]/g, (digit) => {
        const code = digit.charCodeAt(0);
        return String(code - ZEROS.findLast((zero) => zero <= code));
      })
      .replace(/[−－＋．，٫]/g, (sign) => SIGNS[sign]);

  /** A typed text as a number; a comma is a decimal point. Anything else is NaN, nothing is null. */
  studio.parseNumber = function (text) {
    const plain = studio.latin(text);
    if (!plain) return null;
    const point = /^[+-]?\d*,\d+$/.test(plain) ? plain.replace(",", ".") : plain;
    const found = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.exec(point);
    const lost = found && Number(point) === 0 && /[1-9]/.test(found[1]); // too small to be written down
    return found && !lost ? Number(point) : NaN;
  };

  // 1,000 is a thousand to some and one to others; 0,125 is no thousand, and no 1.000 is one where
  // numbers have decimals.
  const GROUPED = /^[+-]?[1-9]\d{0,2},\d{3}$/;
  const GROUPED_WHOLE = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;

  /** {value, error}: the number, or the text as it stands and one line on what is allowed. */
  studio.checkNumber = function (field, text) {
    const number = studio.parseNumber(text);
    const plain = studio.latin(text);
    const grouped = field.kind === "integer" ? GROUPED_WHOLE : GROUPED;
    if (grouped.test(plain)) {
      const whole = plain.replace(/[.,]/, "");
      const error = `“${written(plain)}” may be ${written(whole)} or ${written(number)}: write one of them`;
      return { value: plain, error };
    }
    if (number === null)
      return field.nullable
        ? { value: null, error: "" }
        : { value: "", error: `needs ${studio.allowed(field)}` };
    if (!Number.isFinite(number))
      return {
        value: String(text),
        error: `“${shortened(text)}” is no number; ${studio.allowed(field)}`,
      };
    const { low, high, above, below, kind } = field;
    const fits =
      (low === undefined || number >= low) &&
      (high === undefined || number <= high) &&
      (above === undefined || number > above) &&
      (below === undefined || number < below) &&
      (kind !== "integer" || Number.isInteger(number));
    // A whole number with more digits than a number holds here stays the text that it is.
    const exact = kind !== "integer" || !Number.isInteger(number) || Number.isSafeInteger(number);
    return {
      value: exact ? number : plain,
      error: fits ? "" : `${written(shortened(String(text).trim()))}: ${studio.allowed(field)}`,
    };
  };

  /** One line on a text that is longer than its field takes; "" where it fits. */
  studio.checkLength = function (text, longest) {
    const long = [...(text ?? "")].length;
    return longest && long > longest
      ? `${long} characters: at most ${longest}, take away ${long - longest}`
      : "";
  };

  /** A number near another, as a slider or an arrow key makes it: at most three decimals. */
  studio.tidy = (value) => Math.round(value * 1000) / 1000;
  /** A number that is worked out of others, without what a binary fraction adds: ten decimals. */
  studio.worked = (value) => Math.round(value * 1e10) / 1e10;
  /** A number for a text box, with all of its digits; what is no number as it is. */
  studio.numberText = (value) =>
    value === null || value === undefined
      ? ""
      : typeof value === "number" && Math.abs(value) < 1e15
        ? String(Number.isInteger(value) ? value : Number(value.toPrecision(15)))
        : String(value);

  /** A number near ``value``, one step on; what is no number counts as the default. */
  studio.stepped = function (field, value, step, by) {
    const from = Number.isFinite(value) ? value : (field.default ?? 0);
    const next = studio.tidy(from + by * step);
    return Math.min(field.high ?? Infinity, Math.max(field.low ?? -Infinity, next));
  };

  /** The bounds of a number in a JSON Schema, by our names. */
  studio.bounds = function (property) {
    const real = (property.anyOf || [property]).filter((part) => part.type !== "null");
    const shape = real[0] || {};
    const found = { kind: shape.type === "integer" ? "integer" : "number" };
    const names = {
      minimum: "low",
      maximum: "high",
      exclusiveMinimum: "above",
      exclusiveMaximum: "below",
    };
    for (const [theirs, ours] of Object.entries(names))
      if (shape[theirs] !== undefined) found[ours] = shape[theirs];
    if (property.default !== undefined) found.default = property.default;
    found.nullable = real.length < (property.anyOf || [property]).length;
    return found;
  };

  /** 64 bits of a text, for telling whether it is another: FNV-1a twice. */
  studio.digest = function (text) {
    const parts = [0x811c9dc5, 0x9e3779b9].map((start) => {
      let sum = start;
      for (const one of text) sum = Math.imul(sum ^ one.codePointAt(0), 0x01000193);
      return sum;
    });
    return parts.map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
  };
})(window.studio);
