"""Stage `card`: the model card, written from the measured figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.starter.pictures.contents import (
    BACKGROUNDS,
    CONTENTS,
    HELD_OUT,
    HELD_OUT_STYLES,
    HERO_SLUG,
    HERO_WORD,
    STYLES,
)
from studio.starter.pictures.layouts import LAYOUTS
from studio.starter.pictures.phrases import PATTERNS
from studio.starter.pictures.words import SYNONYMS
from studio.starter.stages.clip_batches import PARTS
from studio.starter.stages.export import ADAPTERS

LICENCES = {
    "@iconify-json/fluent-emoji-flat": "MIT",
    "@iconify-json/fluent-emoji": "MIT",
    "@iconify-json/noto": "Apache-2.0",
    "@iconify-json/twemoji": "CC-BY-4.0",
    "@iconify-json/noto-v1": "Apache-2.0",
    "@iconify-json/fxemoji": "Apache-2.0",
}
TARGETS = {"content": 0.95, "style": 0.88, "background": 0.99}


def percent(value: float) -> str:
    """0.8421 → 84.2 %."""
    return f"{100 * value:.1f} %"


def data_table() -> str:
    """Styles, packages and licences as a Markdown table."""
    lines = ["| style word | npm package | licence | use |", "|---|---|---|---|"]
    for style, spec in {**STYLES, **HELD_OUT_STYLES}.items():
        name, _, version = spec.rpartition("@")
        use = "prior" if style in STYLES else "held out (adapters, autoencoder, CLIP)"
        lines.append(f"| {style} | `{name}` {version} | {LICENCES[name]} | {use} |")
    return "\n".join(lines)


def training_table(figures: dict[str, dict[str, Any]]) -> str:
    """How long each network trained."""
    lines = [
        "| network | steps | batch | minutes | on | steps before |",
        "|---|---|---|---|---|---|",
    ]
    for name in (
        "ground",
        "vae",
        "decoder",
        "prior",
        "faces",
        "animals",
        "canny",
        *ADAPTERS,
        "judge",
        "clip",
    ):
        f = figures.get(name)
        if f and "steps" in f:
            lines.append(
                f"| {name} | {f['steps']} | {f.get('batch', '')} | {f['minutes']:.1f} "
                f"| {f.get('device', 'cpu')} | {f.get('steps_before') or ''} |"
            )
    return "\n".join(lines)


def measured_table(figures: dict[str, dict[str, Any]]) -> str:
    """What the judge says of generated and of real pictures."""
    made, judge = figures.get("measure", {}), figures.get("judge", {})
    lines = [
        "| | generated (95 % interval) | target | judge on real drawings it never saw | judge on drawings it saw |",
        "|---|---|---|---|---|",
    ]
    for part, target in TARGETS.items():
        real = [judge.get(k, {}).get(part) for k in ("unseen_drawings", "training_drawings")]
        lines.append(
            f"| {part} | {measured(made, part)} | {percent(target)} | "
            + " | ".join(percent(v) if v is not None else "" for v in real)
            + " |"
        )
    return "\n".join(lines)


def measured(made: dict[str, Any], part: str) -> str:
    """A share with its interval, where that is known."""
    if part not in made:
        return "not measured"
    low, high = made.get("intervals", {}).get(part, (None, None))
    within = "" if low is None else f" ({100 * low:.1f}–{percent(high)})"
    return percent(made[part]) + within


def realism_text(figures: dict[str, dict[str, Any]]) -> str:
    """FID and KID of this and the first edition, where they were measured."""
    found = figures.get("realism")
    if not found:
        return ""
    first, this = found["first_edition"], found["this_edition"]
    return f"""
Distance of {found["prompts"]} pictures, of contents that the first edition knows too and on plain backgrounds, to as many real drawings, under
the starter's CLIP, either at its own best guidance ({found["scales"]["first_edition"]} and {found["scales"]["this_edition"]}): FID {this["fid"]:.3f} (first edition {first["fid"]:.3f}), KID {this["kid"]:.4f} ({first["kid"]:.4f}).
"""


def layouts_text(figures: dict[str, dict[str, Any]]) -> str:
    """How often every drawing of a picture is what and where the prompt says, by layout."""
    found = figures.get("measure", {}).get("layouts")
    if not found:
        return ""
    each = figures["measure"].get("layout_prompts", "a few")
    told = ", ".join(f"{name} {percent(share)}" for name, share in found.items())
    return f"""
Pictures in which the judge finds every drawing that was asked for at its place, each cut out and judged alone, of
{each} a layout: {told}.
"""


def limits_text(figures: dict[str, dict[str, Any]]) -> str:
    """Where the pictures are lost, where that was measured."""
    found = figures.get("limits")
    if not found:
        return ""

    several = [name for name, spots in LAYOUTS.items() if len(spots) > 1]

    def told(part: str) -> str:
        one = found["single"][part]
        many = ", ".join(f"{name} {percent(found[name][part]['content'])}" for name in several)
        return f"content {percent(one['content'])}, style {percent(one['style'])}; {many}"

    return f"""
What the prior is given, judged alike ({found["scenes"]} drawings a layout, at 128 pixels): true latents, which no prior
could better: {told("true")}. The latents that the captions' own tokens hold, {percent(found["single"]["explained"])} of a single drawing's variance: {told("captions")}.
So it is the text tower that holds the pictures back before the prior does.
"""


def adapter_rows(figures: dict[str, dict[str, Any]]) -> str:
    """The rows of adapters other than the first style, of those that were trained."""
    says = {
        "lora-fox": "LoRA of another: say `in fx style`",
        "lora-hero": f"LoRA of a subject the prior never saw: say `{HERO_WORD}`",
        "word-hero": f"the same subject as a learned word: say `<{HERO_WORD}>`",
        "lora-polar": "LoRA of a subject with a superclass that the prior knows: say `polar bear`",
        "lora-glossy": "LoRA by Diffusion-DPO towards pictures that the judge calls glossy; no word",
    }
    return "\n".join(f"| `{name}` | {what} |" for name, what in says.items() if name in figures)


def preference_text(figures: dict[str, dict[str, Any]]) -> str:
    """What the judge says before and after Diffusion-DPO, where that was trained."""
    made = figures.get("lora-glossy")
    if not made:
        return ""
    before, after = made["before"], made["after"]
    return f"""
Diffusion-DPO (`lora-glossy`), on {made["prompts"]} prompts without a style, {made["known_prompts"]} of which it was trained on: the judge,
who chose the pairs too, calls {percent(before["glossy"])} of the pictures glossy before and {percent(after["glossy"])} after; it names the content of
{percent(before["content"])} before and {percent(after["content"])} after. {made["pairs"]} pairs, the best and the worst of four.
"""


def clip_text(figures: dict[str, dict[str, Any]]) -> str:
    """What the CLIP can tell, where there is one."""
    clip = figures.get("clip", {})
    if "content" not in clip:
        return ""
    words = [len(words) for words in PARTS]
    return f"""
CLIP: the caption nearest to a picture is the right one for {percent(clip["content"])} of {words[0]} contents,
{percent(clip["style"])} of {words[1]} styles and {percent(clip["background"])} of {words[2]} backgrounds, on drawings it was trained on at places of
their own (held-out contents and styles are among them; `{HERO_SLUG}` is not). Its text tower is the text encoder, frozen.
"""


def text(figures: dict[str, dict[str, Any]]) -> str:
    """The whole card."""
    faces, animals = (sum(c.group == g for c in CONTENTS) for g in ("face", "animal"))
    more = [sum(c.group == g for c in HELD_OUT) for g in ("face", "animal")]
    made, vae = figures.get("measure", {}), figures.get("vae", {})
    fine = figures.get("decoder", {})
    objects = ", ".join(c.name for c in HELD_OUT if c.group == "object" and c.slug != HERO_SLUG)
    notes = "".join(f"\n{note}\n" for note in figures.get("notes", {}).get("text", []))
    limits = (
        "It draws icons, on plain backgrounds, of the words it was taught, at 128 or 256 pixels."
    )
    if made.get("content", 0) < TARGETS["content"] or made.get("style", 0) < TARGETS["style"]:
        limits += " **This prior is under-trained**: see the figures above."
    clip_row = (
        "| `clip` | the whole CLIP whose text tower is `text_encoder` |\n"
        if "clip" in figures
        else ""
    )
    return f"""# Starter: a miniature of Stable Diffusion

A complete text-to-image family, small enough for a laptop without a GPU, in diffusers' format: 128×128 pixels, or 256×256 with `fine`,
16×16×16 latents, v-prediction, squared-cosine schedule. Made by `python -m studio.starter`.

![Forty samples, one seed each, none chosen](samples.png)

| folder | what it is |
|---|---|
| `unet`, `vae`, `text_encoder`, `tokenizer`, `scheduler` | the prior, loadable with `StableDiffusionPipeline.from_pretrained` |
| `preview.safetensors` | linear map from latents to 8×8 patches, for live previews |
| `faces`, `animals` | null-text concept networks, trained from the prior without text |
| `food` | the same as a LoRA, trained under the null prompt: a row without a prompt |
| `fine` | an autoencoder of the same latents that makes 256 pixels: a preset's `vae` is `starter/fine` |
| `canny` | ControlNet for Canny edges (thresholds 100 and 200) |
| `lora-blob` | LoRA of a style the prior never saw: say `in blob style` |
{adapter_rows(figures)}
{clip_row}| `judge` | the classifier that made the figures below |

## What it knows
{len(CONTENTS)} contents ({faces} faces, {animals} animals) and {sum(map(len, SYNONYMS.values()))} other words for them, {len(STYLES)} styles
({", ".join(STYLES)}), {len(BACKGROUNDS)} plain backgrounds ({", ".join(BACKGROUNDS)}) and {len(PATTERNS)} patterns
({", ".join(PATTERNS)}). Captions read *an apple in flat style on a blue background*, or any part of that; *a small
apple*, *a large apple*, *two apples*, *three apples*; *an apple and a car*, *an apple left of a car*, *right of*,
*above*, *below*; *a cat face wearing a crown*. The lists are in `studio/starter/pictures/`; `vocabulary.json` has them all.

Held out from the prior, for personalisation: the styles {" and ".join(HELD_OUT_STYLES)}; the objects {objects};
{more[0]} faces and {more[1]} animals (the concept networks know these); and the subject `{HERO_SLUG}`.

## Figures
Generated from {made.get("prompts", "no")} prompts *content in style on background*, drawn evenly, {made.get("steps", 25)} DPM-Solver++ steps,
guidance {made.get("scale", "")}, fixed seeds, {made.get("pixels", 128)} pixels; judged by a small classifier that was trained on real pictures only, a tenth of the
(content, style) drawings kept from it.

{measured_table(figures)}
{layouts_text(figures)}{limits_text(figures)}{realism_text(figures)}
Right content among the judge's first five: {percent(made["content_top5"]) if made else "not measured"}. By group: faces
{percent(made["content_face"]) if made else ""}, animals {percent(made["content_animal"]) if made else ""}, objects {percent(made["content_object"]) if made else ""}.

Autoencoder, on pictures of contents it never saw: {vae.get("psnr", 0):.1f} dB mean PSNR; worst plain background off by
{vae.get("plain_drift", 0):.1f} of 255; latent covariance eigenvalues {vae.get("smallest_eigenvalue", 0):.2f} to {vae.get("largest_eigenvalue", 0):.2f} (full rank). Its encoder is
exact principal components of 8×8 patches, partially whitened, written into the layers; its decoder is learned.

The fine autoencoder, mean PSNR at 256 pixels beside the 128-pixel one's enlarged: on drawings it never saw
{fine.get("unseen", 0):.1f} dB ({fine.get("unseen_enlarged_128", 0):.1f}), on the prior's own predictions of known drawings {fine.get("predicted", 0):.1f} dB
({fine.get("predicted_enlarged_128", 0):.1f}).

Text encoder: taught before the prior, without noise, to name a caption's parts and to hold the picture's latents in
its last sixteen tokens, which captions leave empty (one 4×4 block of cells each; error {figures.get("ground", {}).get("latents_mse", 0):.2f} of a variance
of 1 when every part is named). It never saw a picture of a held-out content. Keep prompts under sixteen words' tokens,
or those tokens say something else.
{clip_text(figures)}{preference_text(figures)}
## Training
{training_table(figures)}

`ground` is the text encoder; minutes on a CPU are processor time per thread.
`python -m studio.starter --stage prior --go-on --minutes-prior 200` trains further, from its checkpoint or from what ships.
{notes}
## Data
Drawings from npm packages, rendered at 128 pixels on plain colours; names matched through `emojibase-data` 17.0.0 (MIT).

{data_table()}

Twemoji is © Twitter, Inc and other contributors, CC-BY 4.0; full notices are in `THIRD_PARTY.md`.

## Limits
{limits} It is for trying guidance, teaching and tests; it is no substitute for a large model.

The weights are Apache-2.0, as the project.
"""


def write(folder: Path) -> None:
    """Write ``MODEL_CARD.md`` beside the models from their ``figures.json``."""
    figures = json.loads((folder / "figures.json").read_text())
    (folder / "MODEL_CARD.md").write_text(text(figures))
