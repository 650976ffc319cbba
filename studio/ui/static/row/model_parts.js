// A row's model in parts: network, adapters with strengths, learned words. No DOM in here.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  const NOTHING = { lora: null, strength: 1, loras: [], model: null, embeddings: [] };

  /** The model with every part present; ``kindOf`` says what the library calls an id. */
  studio.modelParts = function (model, kindOf) {
    if (typeof model !== "string") return { ...NOTHING, ...(model || {}) };
    const kind = kindOf(model);
    if (kind === "embedding") return { ...NOTHING, embeddings: [model] };
    return { ...NOTHING, ...(studio.served.adapters.includes(kind) ? { lora: model } : { model }) };
  };

  /** The shortest form of these parts. */
  studio.modelOf = function (given) {
    const parts = { ...given };
    if (!parts.lora) delete parts.text_strength; // it was the LoRA's
    if (!parts.lora && parts.loras.length) {
      const [first, ...others] = parts.loras;
      Object.assign(parts, { ...first, loras: others });
    }
    if (!parts.lora) parts.strength = 1;
    const differs = ([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(NOTHING[name]) ||
      (name === "strength" && parts.lora);
    const whole = Object.fromEntries(Object.entries(parts).filter(differs));
    const names = Object.keys(whole);
    if (!names.length) return null;
    return names.length === 1 && whole.model ? whole.model : whole;
  };

  /**
   * These parts with another LoRA in the place of theirs. A strength that somebody has set stays, one
   * that the last LoRA began with does not; the last one's own on the text goes with it.
   * @param begins the strength that the LoRA of an id begins with
   */
  studio.withOtherLora = function ({ text_strength, ...parts }, lora, begins) {
    const set = parts.lora && parts.strength !== begins(parts.lora);
    return { ...parts, lora, strength: set ? parts.strength : begins(lora) };
  };

  /** What of a row's model is lost with a change of it, in words. */
  studio.lostParts = function (before, after) {
    const left = [after.lora, ...after.loras.map((one) => one.lora), ...after.embeddings];
    const own = before.lora === after.lora ? undefined : before.text_strength;
    return [
      ...(typeof own === "number" ? [`its strength on the text × ${own}`] : []),
      ...before.loras
        .filter(({ lora }) => !left.includes(lora))
        .map(({ lora, strength }) => `${lora} × ${strength}`),
      ...before.embeddings.filter((id) => !left.includes(id)).map((id) => `words of ${id}`),
    ];
  };

  /** What a closed card says of them. */
  studio.modelChips = ({ loras, model, lora, embeddings }) => [
    ...loras.map((one) => `+ ${one.lora} × ${studio.tidy(one.strength)}`),
    ...(lora && model ? [`on ${model}`] : []),
    ...embeddings.map((id) => `words of ${id}`),
  ];
})(window.studio);
