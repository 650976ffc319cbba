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
    for (const { 0: said, 2: name, 3: strength = "1", index } of text.matchAll(TAG))
      found.push({
        said,
        entry: named(of(studio.served.adapters).filter(fits), name),
        strength: Number(strength),
        prompt: studio.withoutPart(text, index, index + said.length),
      });
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

  /** Let all of these rows have it. */
  studio.giveCalled = function (stack, cards, one) {
    for (const card of cards) card.row.model = studio.modelOf(studio.withCalled(card.parts(), one));
    stack.refresh();
    stack.commit();
  };

  /** A row's model, in parts, with one more. */
  studio.withCalled = function (parts, { entry, strength }) {
    if (entry.kind === "embedding")
      return { ...parts, embeddings: [...parts.embeddings, entry.id] };
    if (!parts.lora) return { ...parts, lora: entry.id, strength };
    return { ...parts, loras: [...parts.loras, { lora: entry.id, strength }] };
  };
})(window.studio);
