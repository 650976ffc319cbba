// What was copied whole from somewhere, and is no prompt: a preset, another tool's JSON or settings.
window.studio = window.studio || {};
(function (studio) {
  "use strict";
  /** Whether a text is what A1111 and others copy whole: a prompt and the settings of its picture. */
  studio.holdsSettings = (text) =>
    /(^|\n|\s)Steps: ?\d+,/.test(text) && /,\s*(Sampler|CFG scale|Seed|Size|Model): /.test(text);

  /** The object that a text is as JSON; null where it is none. */
  function objectIn(text) {
    if (!/^\s*\{[^]*\}\s*$/.test(text)) return null;
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  const PROMPTS = ["prompt", "Prompt", "positive_prompt", "c"];
  const STEPS = ["steps", "Steps", "num_inference_steps"];
  /** Whether another tool keeps such an object: a graph, or a picture's settings. */
  function isTheirs(data) {
    const isGraph = (one) => Object.values(one || {}).some((node) => node?.class_type);
    if (isGraph(data) || isGraph(data.prompt) || data.sui_image_params) return true;
    if (data.nodes && data.links) return true; // the drawing of one
    return [PROMPTS, STEPS].every((names) => names.some((name) => name in data));
  }

  /** The preset's text in a link to a page of the studio, whichever; "" where a text is none. */
  const linkIn = (text) =>
    text.trim().match(/^https?:\/\/\S+[?&]p=([\w-]+)(?:[&#]\S*)?$/)?.[1] ?? "";
  /** The preset that a command line was copied with, and the line's options beside where its pictures go; the
   * text itself where it is none. */
  function inCommand(text) {
    const [, said, preset] =
      text.match(/^\s*python -m studio ([^\n]*)<<'PRESET'\n([^]*)\nPRESET\s*$/) ?? [];
    if (said === undefined) return { text };
    const options = said
      .replace(/^generate(?=\s)/, "")
      .replace(/\s-(?=\s)|\s--out(?:\s+|=)\S+/g, "");
    return { text: preset, options: options.trim() };
  }

  /** What a text that was copied whole is, and what may be done with it; null for a prompt alone. */
  studio.broughtBy = function (copied) {
    const link = linkIn(copied);
    if (link) return { link, said: "This is a link to a preset, not a prompt. ", json: true };
    const { text, options } = inCommand(copied);
    const data = objectIn(text);
    if (Array.isArray(data?.rows))
      return {
        name: "preset.json",
        text,
        options,
        said: "This is a preset, not a prompt. ",
        json: true,
      };
    if (data && isTheirs(data))
      return {
        name: "graph.json",
        said: "This is another tool's JSON, not a prompt. ",
        json: true,
      };
    if (studio.holdsSettings(text))
      return { name: "settings.txt", said: "These are a picture's settings, not a prompt alone. " };
    return null;
  };
})(window.studio);
