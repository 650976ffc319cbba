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
    if (!parts.lora && parts.loras.length) {
      const [first, ...others] = parts.loras;
      Object.assign(parts, { lora: first.lora, strength: first.strength, loras: others });
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

  /** What a closed card says of them. */
  studio.modelChips = ({ loras, model, lora, embeddings }) => [
    ...loras.map((one) => `+ ${one.lora} × ${studio.tidy(one.strength)}`),
    ...(lora && model ? [`on ${model}`] : []),
    ...embeddings.map((id) => `words of ${id}`),
  ];
})(window.studio);
