"""What becomes of a preset's rows where θ_ω is kept as a model, so that the picture stays."""

from __future__ import annotations

from collections import defaultdict
from math import fsum
from pathlib import Path

from studio.library import LORA_FILE, Library
from studio.library.adapter_kinds import is_constant
from studio.library.guard import header_of
from studio.library.merging import Baked, Recipe
from studio.plan.passes import Weights
from studio.plan.row_model import RowModel
from studio.plan.scales import ROUNDED
from studio.plan.terms import Mixed, Terms
from studio.preset import ModelRef, Preset, PromptReference, Row

_HEAD = "With it as the base and ω at 0, the picture stays"


def advice(recipe: Recipe, preset: Preset, library: Library) -> str:
    """What to do with the merged model so that the picture stays.

    A row on the base names A as its model from then on, for the base is another; a LoRA's row may keep
    what is left of its strength instead, where that is all that was merged.

    Args:
        recipe: of the preset, by :func:`studio.plan.kept_omega.recipe_of`.
    """
    terms = Terms(preset, library)
    rows = preset.active_rows()
    node = terms.base(rows)
    assert not isinstance(node, Mixed)  # a recipe is of one θ_ω
    for index, row in rows:
        if _meets_the_prior(terms, index, row, node[0]):
            return (
                "With it as the base the picture changes in any case · "
                f"row {index + 1} is compared with the base itself"
            )
    said = [
        f"row {index + 1} with {what}"
        for index, row in rows
        if (what := _becomes(terms.models[index], row, recipe, library))
    ]
    return " · ".join([f"{_HEAD} with these rows", *said]) if said else f"{_HEAD} as its rows are."


def _meets_the_prior(terms: Terms, index: int, row: Row, steered: Weights) -> bool:
    """Whether a row's reference is the base, or lies between it and the row's own model."""
    model = terms.models[index]
    if row.reference == "own" and model.kind != "other":
        return terms.weak(index) != steered
    of_text = isinstance(row.reference, PromptReference) and model.kind == "concept"
    return of_text or row.reference == "autoguidance"


def _becomes(model: RowModel, row: Row, recipe: Recipe, library: Library) -> str:
    """The row's model where it has to be another, in words; "" where it stays."""
    stated = row.model.model if isinstance(row.model, ModelRef) else row.model
    if model.network != recipe.a or stated == recipe.a:
        return ""
    left = _left(model, recipe, library)
    return ", ".join(map(str, left)) if left else f"{recipe.a} as its model"


def _left(model: RowModel, recipe: Recipe, library: Library) -> list[Baked]:
    """What is left of a row's LoRAs, if they are what was merged; none where something else was, or what
    they change depends on the weights below."""
    baked = {one.name: one for one in recipe.loras}
    names = list(dict.fromkeys(name for name, _ in model.loras))
    if recipe.b or not baked.keys() <= set(names):
        return []
    if not all(_is_constant(name, library) for name in names):
        return []
    scales: dict[str, list[float]] = defaultdict(list)
    texts: dict[str, list[float]] = defaultdict(list)
    for (name, scale), (_, text) in zip(model.loras, model.texts, strict=True):
        scales[name].append(scale)
        texts[name].append(text)
    for name, one in baked.items():
        scales[name].append(-one.strength)
        texts[name].append(-one.in_text)
    found = []
    for name in names:
        scale, text = (round(fsum(one[name]), ROUNDED) for one in (scales, texts))
        found.append(Baked(name, scale, None if text == scale else text))
    return found


def _is_constant(name: str, library: Library) -> bool:
    """Whether an adapter changes every network by the same, as far as its file's header tells."""
    path = Path(library[name].path)
    try:
        return is_constant(header_of(path / LORA_FILE if path.is_dir() else path))
    except (OSError, ValueError):
        return False
