"""θ_ω of a preset as a recipe: the model that its base term runs on, to be kept (Steering Guidance, Eq. 8)."""

from __future__ import annotations

from dataclasses import replace

from studio.errors import StudioError
from studio.library import Library
from studio.library.merging import LORAS, SUM, Baked, Recipe
from studio.plan.curves import factor
from studio.plan.passes import Weights
from studio.plan.terms import Mixed, Terms
from studio.preset import Curve, Preset

FIELD = "omega"


def recipe_of(preset: Preset, library: Library) -> Recipe:
    """What is merged into a model that is θ_ω: ``A·(1−m) + B·m`` of a fine-tune, LoRAs at ω times their
    strengths; without a name.

    On it as the base at ω 0 the base term is what it was; what its rows have to become for the picture
    to stay says :func:`studio.plan.kept_rows.advice`.

    Raises:
        StudioError: ω changes nothing, or θ_ω is another one in places, at times or of several fine-tunes;
            names ``omega``.
        MissingModel, IncompatibleModels: as compiling the preset.
    """
    if any(name != preset.base for _, name in preset.followers()):
        raise StudioError(
            "acts on two models, as another one finishes the picture; take that off first",
            field=FIELD,
        )
    weights = _theta_omega(preset, library)
    tuned = [*weights.blend]
    if weights.model != preset.base:  # ω is 1: the fine-tune itself
        tuned = [(weights.model, 1.0)]
    if len(tuned) > 1:
        shares = ", ".join(f"{name} at {share:.4g}" for name, share in tuned)
        raise StudioError(
            f"lies between {preset.base} and several fine-tunes ({shares}); make a weighted sum of it "
            f"with the first, then an add difference for each other one, with {preset.base} as C",
            field=FIELD,
        )
    loras = tuple(
        Baked(
            one.name,
            one.scale,
            None if one.text == one.scale else one.text,
            "A" if one.on == preset.base else "B",
        )
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
    if any(_rests(row.curve) for row in steered):
        raise StudioError(
            "acts in a part of the denoising alone, as the curve of its row is 0 at times; a model is "
            "one throughout",
            field=FIELD,
        )
    return weights


def _rests(curve: Curve) -> bool:
    """Whether a curve is 0 before the end, where no step is any more."""
    if isinstance(curve, str):
        return any(factor(curve, at) == 0 for at in (0.0, 0.5))
    return any(value == 0 for at, value in curve if at < 1.0) or curve[0][1] == 0
