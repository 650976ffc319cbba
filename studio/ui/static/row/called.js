// Models that a prompt calls by their names, as other tools read them: <lora:name:0.8>, embedding:name,
// and the word of an embedding. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const TAG = /<(lora|lyco):([^<>:]{1,200})(?::([+-]?(?:\d+\.?\d*|\.\d+)))?(?::[^<>]{0,100})?>/gi;
  const STRENGTH = /^:([+-]?(?:\d+\.?\d*|\.\d+))(?=[:>])/;
  const EMBEDDING = /\bembedding:([\w./-]{0,199}[\w-])/gi;

  const plain = (name) =>
    name
      .trim()
      .split(/[/\\]/)
      .at(-1)
      .replace(/\.(safetensors|sft|ckpt|pt|pth|bin)$/i, "")
      .toLowerCase();

  /** The model of this name among some: its whole id, else what its file is called. */
  const named = (models, name) =>
    models.find(({ id }) => id === name) || models.find(({ id }) => plain(id) === plain(name));

  /** The strength that the rest of a tag says, from the colon behind its name; null where it says none. */
  const strengthIn = (rest) => rest.match(STRENGTH)?.[1] ?? null;

  /** The strength that a LoRA begins with: the one that is advised for it, else 1. */
  studio.advisedFor = (entry) => entry?.advised ?? 1;

  /** The strength of a LoRA that the rest of a tag is behind. */
  studio.strengthOf = (rest, entry) => Number(strengthIn(rest) ?? studio.advisedFor(entry));

  /** A text without what stands between two places, and without the comma that this leaves alone. */
  studio.withoutPart = function (text, start, end) {
    const [before, after] = [text.slice(0, start).trimEnd(), text.slice(end).trimStart()];
    const left = /^$|,$/.test(before) ? after.replace(/^,\s*/, "") : after;
    if (!left) return before.replace(/,$/, "");
    return before && !/^,/.test(left) ? `${before} ${left}` : before + left;
  };

  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  const alone = (word) =>
    new RegExp(`(?<![\\p{L}\\p{N}:_-])${escaped(word)}(?![\\p{L}\\p{N}_-])`, "u");

  /**
   * What a prompt calls: {said, entry, strength, prompt}, where `entry` is undefined for a LoRA that is
   * not here, and `prompt` is the text once a row has it. It is asked at every key: whether a model
   * fits comes last.
   * @param models all of them: {id, kind, trigger}
   * @param fits whether a row can have one
   * @param has the ids of those that it has
   */
  studio.calledModels = function (text, models, fits, has) {
    const of = (kinds) => models.filter(({ kind }) => kinds.includes(kind));
    const words = of(["embedding"]);
    const found = [];
    for (const { 0: said, 2: name, 3: strength, index } of text.matchAll(TAG)) {
      const entry = named(of(studio.served.adapters).filter(fits), name);
      found.push({
        said,
        entry,
        strength: Number(strength ?? studio.advisedFor(entry)),
        prompt: studio.withoutPart(text, index, index + said.length),
      });
    }
    for (const { 0: said, 1: name, index } of text.matchAll(EMBEDDING)) {
      const entry = named(words.filter(fits), name);
      const [before, after] = [text.slice(0, index), text.slice(index + said.length)];
      if (entry) found.push({ said, entry, prompt: before + (entry.trigger || name) + after });
    }
    for (const entry of words)
      if (entry.trigger && text.includes(entry.trigger) && alone(entry.trigger).test(text))
        if (fits(entry)) found.push({ said: entry.trigger, entry, prompt: text });
    const told = new Set(has);
    return found.filter(({ entry }) => !entry || (!told.has(entry.id) && told.add(entry.id)));
  };

  /** The rows beside one that do not have the same LoRA on the same network: other tools give it to
   *  every prompt, the negative one too. */
  studio.rowsWithout = (cards, card, entry) =>
    cards.filter(
      (other) =>
        other !== card &&
        studio.served.adapters.includes(entry.kind) &&
        other.parts().model === card.parts().model &&
        !other.has().includes(entry.id),
    );

  /** Whether ω is to become 1 with a LoRA that `card` calls and other tools give to the base term too:
   *  where it is another by now, and no row had a LoRA before. */
  studio.baseWithout = function (cards, card, entry, omega) {
    if (!studio.served.adapters.includes(entry.kind) || Number(omega) === 1) return false;
    const others = (one) => {
      const { lora, loras } = one.parts();
      const ids = [lora, ...loras.map((more) => more.lora)].filter(Boolean);
      return one === card ? ids.filter((id) => id !== entry.id) : ids;
    };
    return cards.every((one) => !others(one).length);
  };

  /** Let all of these rows have it. One whose own text calls it has it as that says, and the tag is
   *  taken out of the text. */
  studio.giveCalled = function (stack, cards, one) {
    for (const card of cards) {
      const own = card.calls(card.row.prompt).find(({ entry }) => entry?.id === one.entry.id);
      card.row.model = studio.modelOf(studio.withCalled(card.parts(), own || one));
      if (own) card.row.prompt = own.prompt;
    }
    stack.refresh();
    stack.commit();
  };

  /** Where other tools have a LoRA that a card calls, and it is not here: {rows, base}. */
  studio.lackingElsewhere = function (card, entry) {
    const { cards } = card.stack;
    const { omega } = studio.heldFields();
    return {
      rows: studio.rowsWithout(cards, card, entry),
      base: studio.baseWithout(cards, card, entry, omega),
    };
  };

  /** Give it to all of them; of a card that is gone, as another preset has been loaded, nothing is. */
  studio.giveElsewhere = function (card, one) {
    if (!card.stack.cards.includes(card)) return;
    const { rows, base } = studio.lackingElsewhere(card, one.entry);
    studio.giveCalled(card.stack, rows, one);
    if (!base) return;
    studio.setField("omega", 1);
    studio.toast("ω is 1 now, so that the base term has the LoRA as well.");
  };

  /** A row's model, in parts, with one more. */
  studio.withCalled = function (parts, { entry, strength }) {
    if (entry.kind === "embedding")
      return { ...parts, embeddings: [...parts.embeddings, entry.id] };
    if (!parts.lora) return { ...parts, lora: entry.id, strength };
    return { ...parts, loras: [...parts.loras, { lora: entry.id, strength }] };
  };
})(window.studio);
