// What is varied in a sweep: up to three fields, each with the text of its values. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const MOST = 3;
  const ROW = /^rows\.(\d+)\.(.+)$/;

  /** What a field is called in few words: its title without what explains it, or "weight of row 2". */
  studio.fieldInWords = function (path, titles = {}) {
    const row = path.match(ROW);
    if (!row) {
      const brief = (title) => title.replace(/(, | \().*$/, "");
      const title = titles[path] || path;
      const like = Object.values(titles).filter((one) => brief(one) === brief(title));
      return like.length > 1 ? title : brief(title); // as of those of a second pass
    }
    const field = row[2]
      .replace(/^model\.loras\.(\d+)/, (_, at) => `LoRA ${Number(at) + 1}`)
      .replace(/^controls\.(\d+)/, (_, at) => `control ${Number(at) + 2}`);
    const name = field === "model.lora" ? "LoRA" : field.replaceAll(/[._]/g, " ");
    return `${name} of row ${Number(row[1]) + 1}`;
  };

  /** A value as it stands beside the grid. */
  studio.valueInWords = function (value) {
    if (typeof value === "number") return studio.numberText(value);
    if (typeof value === "string") return value === "" ? "(empty)" : value;
    return JSON.stringify(value);
  };

  const LONG = 20; // characters that a heading has room for

  /** With how many words all begin alike. */
  function alike(words, most) {
    let count = 0;
    while (count < most && words.every((one) => one[count] === words[0][count])) count += 1;
    return count;
  }

  /** Texts without the words with which all of them begin and end, where they are long;
   *  experiments/labels.py says the same. */
  studio.wordsApart = function (texts) {
    if (texts.length < 2 || texts.every((text) => text.length <= LONG)) return texts;
    const words = texts.map((text) => text.split(" "));
    const room = Math.min(...words.map((one) => one.length)) - 1; // a word of each stays
    const before = alike(words, room);
    const behind = alike(
      words.map((one) => one.toReversed()),
      room - before,
    );
    return words.map((one) => {
      const kept = one.slice(before, one.length - behind).join(" ");
      return `${before ? "… " : ""}${kept}${behind ? " …" : ""}`;
    });
  };

  /** A round step of at most `size`: 1, 2 or 5 times a power of ten. */
  function roundStep(size) {
    const power = 10 ** Math.floor(Math.log10(size));
    return [5, 2, 1].find((one) => one * power <= size * (1 + 1e-9)) * power;
  }

  function aroundNumber({ kind, low, high, above, below, default: usual, name }, value) {
    const least = low ?? above ?? -Infinity;
    const most = high ?? below ?? Infinity;
    const fits = (one) =>
      one >= least && one <= most && !(above !== undefined && one <= above) && one !== below;
    const at = Number.isFinite(value) ? value : Number(usual) || 0;
    if (name === "seed" || name === "variation_seed")
      return `${Math.max(0, at)}:${Math.max(0, at) + 3}:1`;
    const near = kind === "number" && most - least <= 1;
    const whole = kind === "integer";
    let step = near ? (most - least) / 4 : roundStep(Math.abs(at) / 4 || (whole ? 1 : 0.25));
    if (whole) step = Math.max(1, Math.round(step));
    const start = near ? least + 2 * step : at;
    const values = [-2, -1, 0, 1, 2].map((by) => start + by * step).filter(fits);
    const text = (one) => studio.numberText(studio.tidy(one));
    if (values.length < 3) return values.map(text).join(", ");
    return [values[0], values.at(-1), step].map(text).join(":");
  }

  /** Values to begin with: around what the field holds now. */
  studio.valuesAround = function (field, value) {
    switch (field.kind) {
      case "boolean":
        return "false, true";
      case "choice": {
        const names = field.choices.map(([name]) => name);
        const others = names.filter((name) => name !== value);
        return [...(names.includes(value) ? [value] : []), ...others].slice(0, 3).join(", ");
      }
      case "text":
        // Lines are values: a text of several is written as a list.
        return value?.includes("\n") ? JSON.stringify([value]) : studio.listOfLines(value || "");
      default:
        return aroundNumber(field, value);
    }
  };

  /** How values of a field are written, shown in its empty box. */
  studio.valuesHint = function (field) {
    if (field?.kind === "text") return "One a line";
    if (field?.kind === "boolean") return "false, true";
    if (field?.kind === "choice")
      return field.choices
        .slice(0, 2)
        .map(([name]) => name)
        .join(", ");
    return "0, 0.5, 1 or 0:1:0.25";
  };

  /** Sizes to begin with: smaller, as it is, larger. */
  studio.sizesAround = (size) => [0.75 * size, size, 1.25 * size].map(Math.round).join(", ");

  const SEEDS = /^sampler\.(variation_)?seed$/;
  /** Axes whose seeds of −1 are drawn, one for all pictures of that value: those of one line differ by
   *  nothing else then, and the number stands beside them. */
  studio.withSeedsDrawn = function (axes, draw) {
    const one = /(^|[,;؛[])(\s*)[-−]1(?=\s*(?:$|[,;؛\]]))/g; // in a list; of a range it is an end
    return axes.map((axis) => {
      if (!SEEDS.test(axis.field)) return axis;
      const drawn = (_, before, room) => `${before}${room}${draw()}`;
      return { ...axis, values: axis.values.replace(one, drawn) };
    });
  };

  /** The values of a list whose commas may be meant as decimal ones, "" where none may. */
  studio.commasIn = function (text) {
    const plain = text.trim();
    if (plain.includes(".") || !/\d,\d/.test(plain) || !/^[\d\s,:+−-]+$/.test(plain)) return "";
    return plain
      .split(",")
      .map((value) => value.trim())
      .join(" · ");
  };

  /** Lines of text as a JSON list, which a text may be already; `""` alone in a line is the empty
   *  text. A prompt may begin with a bracket too: [cat:dog:0.5]. */
  studio.listOfLines = function (text) {
    if (/^\s*\[\s*["\]]/.test(text)) return text;
    const lines = text.split("\n").filter((line) => line.trim());
    return lines.length ? JSON.stringify(lines.map((line) => (line === '""' ? "" : line))) : "";
  };

  /** A JSON list of texts as lines; anything else as it is. */
  studio.linesOfList = function (values) {
    try {
      const list = JSON.parse(values);
      const plain = (one) => typeof one === "string" && !one.includes("\n");
      if (Array.isArray(list) && list.every(plain))
        return list.map((one) => one || '""').join("\n");
    } catch {
      /* half typed */
    }
    return values;
  };

  /**
   * Where each of the rows of before is among those of now, by what it holds: its new place; where
   * none is like it its own, or -1 where another row of before has come there. Both are lists of texts.
   */
  studio.placesOfRows = function (before, now) {
    const stays = before.map((text, at) => text === now[at]);
    const taken = new Set([...before.keys()].filter((at) => stays[at]));
    const found = before.map((text, at) => {
      if (stays[at]) return at;
      const place = now.findIndex((one, index) => one === text && !taken.has(index));
      if (place >= 0) taken.add(place);
      return place;
    });
    return found.map((place, at) => (place >= 0 ? place : taken.has(at) ? -1 : at));
  };

  /**
   * The axes: {field, values} each, kept as they change; of an earlier sweep with what its `styles` held,
   * until one changes it.
   * @param kept those from before
   * @param keep is called with all of them after every change
   */
  studio.axesOf = function (kept, keep) {
    let axes = kept;
    const heard = new Set();
    function change(next, why) {
      axes = next;
      keep(axes);
      for (const tell of heard) tell(why);
    }
    return {
      list: () => axes.map((axis) => ({ ...axis })),
      has: (field) => axes.some((axis) => axis.field === field),
      /** Add one: "added", "there" where the field is varied already, or "full". */
      add(field, values) {
        if (this.has(field)) return "there";
        if (axes.length >= MOST) return "full";
        change([...axes, { field, values }], "list");
        return "added";
      },
      /** `why` is "text" where only values were typed, "lost" where a field is gone, else "list". */
      set(index, changes, why) {
        change(
          axes.map(({ lost, styles, ...axis }, at) => {
            const waits = lost && (at !== index || why === "text") ? { lost } : {};
            const held = styles && at !== index ? { styles } : {};
            return { ...axis, ...waits, ...held, ...(at === index ? changes : {}) };
          }),
          why,
        );
      },
      /** Change places with the one before it. */
      forward(index) {
        const next = [...axes];
        [next[index - 1], next[index]] = [next[index], next[index - 1]];
        change(next, "list");
      },
      remove(index) {
        change(
          axes.filter((_, at) => at !== index),
          "list",
        );
      },
      /** The rows were moved: `places` has the new place of each, -1 of one that is gone. An axis of
       *  that one keeps its values and waits for another field, or for the row to come back;
       *  `before` and `now` are the rows as texts. */
      follow(places, before = [], now = []) {
        const came = now.map((text, at) => (places.includes(at) ? null : text));
        const next = axes.map((axis) => {
          const { field, values, lost } = axis;
          const [, row, name] = field.match(ROW) || [];
          const place = lost ? came.indexOf(lost.row) : places[row];
          const path = `rows.${place}.${name ?? lost?.name}`;
          if (lost) return place < 0 || this.has(path) ? axis : { field: path, values };
          if (place === undefined) return axis;
          if (place < 0) return { field: "", values, lost: { row: before[row], name } };
          return { field: path, values };
        });
        if (next.every(({ field }, at) => field === axes[at].field)) {
          if (places.some((place, at) => place !== at)) for (const tell of heard) tell("rows");
          return;
        }
        change(next, next.some(({ lost }, at) => lost && !axes[at].lost) ? "lost" : "list");
      },
      /** A control of a row goes: an axis of it keeps its values and waits for another field, those of the
       *  ones behind it follow them; whether any did. */
      withoutControl(row, at) {
        const first = `rows.${row}.control.`;
        const next = axes.map((axis) => {
          const [, place, name] =
            axis.field.match(new RegExp(`^rows\\.${row}\\.controls\\.(\\d+)\\.(.+)$`)) ??
            (axis.field.startsWith(first) ? ["", -1, axis.field.slice(first.length)] : []);
          const number = Number(place) + 1; // the first is 0
          if (name === undefined || number < at) return axis;
          const { values } = axis;
          if (number === at)
            return { field: "", values, lost: { row: "", name: `control.${name}` } };
          const now = number === 1 ? first : `rows.${row}.controls.${number - 2}.`;
          return { field: now + name, values };
        });
        const other = next.some(({ field }, index) => field !== axes[index].field);
        if (other)
          change(next, next.some(({ lost }, index) => lost && !axes[index].lost) ? "lost" : "list");
        return other;
      },
      replace: (next) => change(next.slice(0, MOST), "list"),
      full: () => axes.length >= MOST,
      /** Hear of changes, and of rows that moved under none ("rows"); answers a function that stops it. */
      on(tell) {
        heard.add(tell);
        return () => heard.delete(tell);
      },
    };
  };

  /** A note on axes that went, with a way back as long as they and the rows stay as they are now. */
  studio.axesUndoable = function (text, before) {
    const close = studio.undoable(text, () => studio.axes.replace(before));
    const stop = studio.axes.on(() => {
      stop();
      close();
    });
  };
})(window.studio);
