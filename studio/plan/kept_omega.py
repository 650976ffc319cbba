"""θ_ω of a preset as a recipe: the model that its base term runs on, to be kept (Steering Guidance, Eq. 8)."""

from __future__ import annotations

from dataclasses import replace

from studio.errors import StudioError
from studio.library import Library
from studio.library.merging import LORAS, SUM, Baked, Recipe
from studio.plan.passes import Weights
from studio.plan.terms import Mixed, Terms
from studio.preset import ModelRef, Preset

FIELD = "omega"


def recipe_of(preset: Preset, library: Library) -> Recipe:
    """What is merged into a model that is θ_ω: ``A·(1−m) + B·m`` of a fine-tune, LoRAs at ω times their
    strengths; without a name.

    On it as the base at ω 0 the base term is what it was: a row on a fine-tune stays as it is, a row's
    LoRA keeps what is left of its strength.

    Raises:
        StudioError: ω changes nothing, or θ_ω is another one in places, at times or of several fine-tunes;
            names ``omega``.
        MissingModel, IncompatibleModels: as compiling the preset.
    """
    weights = _theta_omega(preset, library)
    tuned = [*weights.blend]
    if weights.model != preset.base:  # ω is 1: the fine-tune itself
        tuned = [(weights.model, 1.0)]
    if len(tuned) > 1:
        names = ", ".join(name for name, _ in tuned)
        raise StudioError(
            f"lies between {preset.base} and several fine-tunes ({names}); merge them one after another",
            field=FIELD,
        )
    loras = tuple(
        Baked(one.name, one.scale, None if one.text == one.scale else one.text)
        for one in weights.adapters()
    )
    recipe = Recipe("", preset.base, loras=loras, method=LORAS, multiplier=0.0)
    if not tuned:
        return recipe
    name, fraction = tuned[0]
    return replace(recipe, b=name, multiplier=fraction, method=SUM)


def _theta_omega(preset: Preset, library: Library) -> Weights:
    rows = preset.active_rows()
    terms = Terms(preset, library)
    node = terms.base(rows)
    if isinstance(node, Mixed):
        raise StudioError(
            "acts where the masks of its rows are white alone; a model is one everywhere: take the "
            "masks off first",
            field=FIELD,
        )
    weights, _ = node
    if weights == Weights(preset.base):
        raise StudioError(
            "changes nothing now: give a row of positive weight a LoRA or a fine-tune, and ω a value "
            "above 0",
            field=FIELD,
        )
    steered = [row for index, row in rows if terms.models[index].personal and row.weight > 0]
    if any(tuple(row.range) != (0.0, 1.0) for row in steered):
        raise StudioError(
            "acts in a part of the denoising alone, as the range of its row says; a model is one "
            "throughout",
            field=FIELD,
        )
    return weights


def advice(recipe: Recipe, preset: Preset) -> str:
    """What to do with the merged model so that the picture stays; "" where several rows are steered."""
    rows = [row for _, row in preset.active_rows() if row.weight > 0 and row.model is not None]
    if len(rows) != 1:
        return ""
    if recipe.b:
        return f"With it as the base and ω at 0, the row on {recipe.b} makes the same picture."
    model = rows[0].model
    if not isinstance(model, ModelRef):
        return ""
    left = dict(model.adapters())
    for one in recipe.loras:
        left[one.name] -= one.strength
    said = ", ".join(f"{name} at {strength:.4g}" for name, strength in left.items())
    return f"With it as the base and ω at 0, the row makes the same picture with {said}."
