// What the page knows of a row from the served schema: bounds, choices, defaults. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";

  /** Set once, from the stack's props: {defs, blank, leaves, preprocessors, thresholds, adapters, curves,
   *  hints}. */
  studio.served = {
    defs: {},
    blank: {},
    leaves: {},
    preprocessors: [],
    thresholds: [],
    adapters: [],
    curves: {},
    hints: [],
  };

  const property = (def, name) => studio.served.defs[def]?.properties?.[name] || {};

  /** Bounds of a number of a definition, such as ("Row", "weight"). */
  studio.fieldOf = (def, name) => studio.bounds(property(def, name));

  /** Bounds of the entries of a tuple, such as ("Row", "range"). */
  studio.entryOf = (def, name) => studio.bounds(property(def, name).prefixItems?.[0] || {});

  /** The named values of a field, whatever else it may be. */
  studio.namesOf = function (def, name) {
    const given = property(def, name);
    const parts = given.anyOf || [given];
    return parts.flatMap((part) =>
      part.$ref ? studio.served.defs[part.$ref.split("/").pop()]?.enum || [] : part.enum || [],
    );
  };

  /** How many control images a row takes. */
  studio.mostControls = () => 1 + (property("Row", "controls").maxItems ?? 0);

  /** The longest text of a field. */
  studio.longest = (def, name) => property(def, name).maxLength;

  /** Bounds of a point of a weight curve: its place and its factor. */
  studio.pointBounds = function () {
    const parts = property("Row", "curve").anyOf || [];
    const pair = parts.map((part) => part.items?.prefixItems).find(Boolean) || [{}, {}];
    return { place: studio.bounds(pair[0]), factor: studio.bounds(pair[1]) };
  };

  /** A row as the page holds it: every field present. */
  studio.fullRow = (row) => ({ ...studio.clone(studio.served.blank), ...studio.clone(row || {}) });

  /** A new row's weight: the usual one for the first, 1 where others are there. */
  studio.firstWeight = (others) => (others ? 1 : (studio.served.blank.weight ?? 1));

  /** A value inside nested objects by its dotted path, and a copy with another one there. */
  studio.at = (object, path) => path.split(".").reduce((value, key) => value?.[key], object);
  studio.withAt = function (object, path, value) {
    const [first, ...rest] = path.split(".");
    const inner = rest.length ? studio.withAt(object?.[first] ?? {}, rest.join("."), value) : value;
    return { ...object, [first]: inner };
  };
})(window.studio);
