// How a browser keeps undo's steps: what many of them share, such as a row, stands there once, so that
// 200 steps of 100 rows find room. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /** Packs forms, which are texts, and knows the parts of those of the last time. */
  studio.formPacker = function () {
    let known = new Map(); // a form → the texts of its parts: all but its rows, then each row

    function partsOf(text) {
      const form = JSON.parse(text);
      const { rows } = form;
      if (!Array.isArray(rows)) return [text];
      return [{ ...form, rows: null }, ...rows].map((part) => JSON.stringify(part));
    }

    return function (forms) {
      const parts = new Map();
      const place = (text) => {
        if (!parts.has(text)) parts.set(text, parts.size);
        return parts.get(text);
      };
      known = new Map(forms.map((form) => [form, known.get(form) ?? partsOf(form)]));
      const steps = forms.map((form) => known.get(form).map(place));
      return { parts: [...parts.keys()], steps };
    };
  };

  /** The forms, letter by letter as they were. */
  studio.unpackForms = function ({ parts, steps }) {
    const values = parts.map((text) => JSON.parse(text));
    return steps.map(([first, ...rows]) => {
      const form = values[first];
      if (form.rows !== null) return parts[first];
      return JSON.stringify({ ...form, rows: rows.map((place) => values[place]) });
    });
  };
})(window.studio);
