// What changes from one form to another, in words. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const MOST = 3; // changes that are named each
  const LONG = 40; // characters of a value

  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return {};
    }
  };
  const same = (one, two) => JSON.stringify(one ?? null) === JSON.stringify(two ?? null);

  /** What a field of a row is called, by its place there; history/differences.py says the same. */
  const rowField = (place) =>
    place
      .join(" ")
      .replaceAll("_", " ")
      .replace(/^model loras (\d+)/, (_, index) => `LoRA ${Number(index) + 1}`)
      .replace(/^controls (\d+) /, (_, index) => `control ${Number(index) + 2}, `)
      .replace(/^controls$/, "further control images")
      .replace(/^image prompt image$/, "picture of the image prompt");

  /** The places at which two values differ: lists of rows by row, all else by field. */
  function places(one, two, place = []) {
    const plain = (value) => value && typeof value === "object" && !Array.isArray(value);
    const rows = (value) =>
      Array.isArray(value) && value.length > 0 && value.every((inner) => plain(inner));
    if (plain(one) && plain(two))
      return [...new Set([...Object.keys(one), ...Object.keys(two)])].flatMap((key) =>
        places(one[key], two[key], [...place, key]),
      );
    if (rows(one) && rows(two) && one.length === two.length)
      return one.flatMap((inner, index) => places(inner, two[index], [...place, index]));
    return same(one, two) ? [] : [place];
  }
  const at = (value, place) => place.reduce((inner, key) => inner?.[key], value);

  const NAMING = ["image", "lora", "model", "prompt", "embeddings"]; // what a part of a row is known by
  /** A value as a person reads it, beside the one that it gives way to; history/differences.py says the
   *  same. */
  function valueInWords(value, other) {
    if (value === null || value === undefined || value === "") return "none";
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (/^(inputs\/|data:image\/)/.test(value)) return "a picture";
    const inner = (one) => (Array.isArray(one) ? one.map(inner).join(":") : valueInWords(one));
    if (Array.isArray(value)) return shortened(value.map(inner).join(", ")) || "none";
    if (typeof value === "object") {
      if (`${Object.keys(value)}` === "prompt" && !value.prompt) return "another prompt"; // a reference
      const name = NAMING.find((one) => value[one]);
      return name === "image" ? "a picture" : valueInWords(name ? value[name] : "");
    }
    if (typeof value !== "string") return String(value);
    return `“${partOf(value, typeof other === "string" ? other : "")}”`;
  }
  const shortened = (text) => (text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text);
  /** Of a long text what is around the place at which it begins to differ from the other. */
  function partOf(text, other) {
    if (text.length <= LONG) return text;
    let alike = 0;
    while (alike < text.length && text[alike] === other[alike]) alike += 1;
    const start = Math.max(0, Math.min(alike - LONG / 2, text.length - LONG));
    const end = start + LONG;
    return `${start ? "…" : ""}${text.slice(start, end)}${end < text.length ? "…" : ""}`;
  }

  const nameOf = (place) => place.join("_");
  /** Of what is in every row alike: without the row's number. */
  const listOf = (place) => nameOf(place[0] === "rows" ? ["rows", ...place.slice(2)] : place);
  /** What stands at a place of a form, in words: a field of a start that was never set has its usual
   *  value, and one of a list is called as the list calls it. */
  function said(form, place, other) {
    const value =
      at(form, place) ?? (form.init ? studio.startDefaults?.[place.join(".")] : undefined);
    const title = studio.titles?.[listOf(place)]?.[value];
    return title ? shortened(title) : valueInWords(value, at(other, place));
  }

  /** The places at which two forms differ, which are given as texts. */
  studio.changedPlaces = (from, to) => places(parsed(from), parsed(to));

  /** What stands at a place is called so. */
  const called = (place) =>
    place[0] === "rows" && place.length > 2
      ? `${rowField(place.slice(2))} of row ${place[1] + 1}`
      : (studio.labels?.[nameOf(place)] ??
        [studio.labels?.[place[0]] ?? place[0], ...place.slice(1)].join(", "));

  /** Whether two lists hold the same rows. */
  const reordered = (rows, others) => {
    const sorted = (all) => all.map((row) => JSON.stringify(row)).sort();
    return Array.isArray(rows) && Array.isArray(others) && same(sorted(rows), sorted(others));
  };

  /** What is said where one row has a control image more, or less, than it had: "" elsewhere. Those
   *  behind one that went move up, which would be a change of each of their fields. */
  function moreControls(one, two, changed) {
    const [, row] = changed[0];
    const within = ([first, at, field]) =>
      first === "rows" && at === row && (field === "control" || field === "controls");
    if (!changed.every(within)) return "";
    const counted = ({ control, controls = [] }) => (control ? 1 : 0) + (controls ?? []).length;
    const [before, after] = [counted(one.rows[row]), counted(two.rows[row])];
    if (before === after || Math.max(before, after) < 2) return "";
    return after > before
      ? `control image added to row ${row + 1}`
      : `control image removed from row ${row + 1}`;
  }

  /** What changes from one form to another, in words. */
  studio.changeInWords = function (from, to) {
    const one = parsed(from);
    const two = parsed(to);
    const count = (two.rows || []).length - (one.rows || []).length;
    if (count) {
      const many = Math.abs(count);
      return `${many} ${many === 1 ? "row" : "rows"} ${count > 0 ? "added" : "deleted"}`;
    }
    const changed = places(one, two);
    if (!changed.length) return "";
    if (changed.every(([first]) => first === "rows") && reordered(one.rows, two.rows))
      return "rows in another order";
    const further = moreControls(one, two, changed);
    if (further) return further;
    const inRow = (place) => place[0] === "rows" && place.length > 2 && place.slice(2);
    const field = inRow(changed[0]);
    if (changed.length > 1 && field && changed.every((one) => `${inRow(one)}` === `${field}`)) {
      const parts = changed.map((one) => at(two, one));
      const muted = field[0] === "enabled" && parts.every((part) => part === parts[0]);
      const how = parts[0] ? "take part again" : "muted";
      return muted
        ? `${changed.length} rows ${how}`
        : `${rowField(field)} of ${changed.length} rows`;
    }
    const ofOneRow = (place) => place[0] === "rows" && place[1] === changed[0][1];
    if (changed.length > 1 && changed.length <= MOST) return changed.map(called).join(" · ");
    if (changed.length > MOST && !changed.every(ofOneRow)) return `${changed.length} fields`;
    const [place] = changed;
    const { 1: row, [place.length - 1]: last } = place;
    const parts = { enabled: ["muted", "takes part again"], solo: ["not solo any more", "solo"] };
    if (changed.length === 1 && place[0] === "rows" && parts[last])
      return `row ${row + 1} ${parts[last][Number(at(two, place) === true)]}`;
    return changed.length > 1
      ? `${changed.length} fields of row ${place[1] + 1}`
      : `${called(place)}: ${said(one, place, two)} → ${said(two, place, one)}`;
  };
})(window.studio);
