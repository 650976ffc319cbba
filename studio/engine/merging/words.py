"""What a merged model says of itself: in its header as other tools write it, and on its card."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from studio.library import Library, ModelEntry, title_of
from studio.library.merging import DIFFERENCE, HALF, LORAS, SUM, Ingredients

# As AUTOMATIC1111's Checkpoint Merger calls them.
_INTERPOLATION = {SUM: "Weighted sum", DIFFERENCE: "Add difference", LORAS: "No interpolation"}
_PLACES = {"A": "primary", "B": "secondary", "C": "tertiary"}
_ARCHITECTURE = {
    "sd1": "stable-diffusion-v1",
    "sd2": "stable-diffusion-v2-768-v",
    "sdxl": "stable-diffusion-xl-v1-base",
}
MOST_SHOWN = 900  # characters of the line on the Models tab


def sha256_of(entry: ModelEntry, library: Library) -> str:
    """The hash of a model's whole file or files; "" where it is not known."""
    known = [one for one in library.hashes.of(entry) if len(one) == 64]
    return known[-2:][0] if known else ""  # of a file, that of its tensors alone comes last


def metadata(found: Ingredients, hashes: dict[str, str]) -> dict[str, str]:
    """Texts for the header of the denoising network: ``modelspec.*`` and A1111's recipe."""
    recipe, models = found.recipe, found.models
    of_merger: dict[str, Any] = {
        "type": "webui",
        **{f"{_PLACES[place]}_model_hash": hashes[one.id] or None for place, one in models.items()},
        "interp_method": _INTERPOLATION[recipe.how],
        "multiplier": recipe.multiplier,
        "save_as_half": recipe.precision == HALF,
        "custom_name": recipe.name,
        "loras": [
            {
                "name": entry.id,
                "hash": hashes[entry.id] or None,
                "strength": one.strength,
                "text_strength": one.in_text,
            }
            for entry, one in found.loras
        ],
    }
    several = {hashes[one.id] or one.id: {"name": one.id} for one in models.values()}
    return {
        "sd_merge_recipe": json.dumps(of_merger),
        "sd_merge_models": json.dumps(several),
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": recipe.name,
        "modelspec.architecture": _ARCHITECTURE.get(
            models["A"].family, title_of(models["A"].family)
        ),
        "modelspec.implementation": "diffusers",
        "modelspec.date": datetime.now(UTC).isoformat(timespec="seconds"),
        "modelspec.merged_from": ", ".join([*recipe.models().values(), *_names(found)]),
        "modelspec.description": recipe.formula(),
    }


def card(found: Ingredients, hashes: dict[str, str]) -> dict[str, Any]:
    """What the library says of the model. It names no folder of the person's machine."""
    recipe = found.recipe
    first, entry = recipe.models()["A"], found.models["A"]
    # What lies alone is known by its base: what it predicts, and on which noise.
    alone = {"base": entry.base, "edition": entry.edition} if entry.base else {}
    line = f"Merged: {recipe.formula()}, in {recipe.precision}; the rest is {first}'s"
    return {
        "title": recipe.name,
        "family": entry.family,
        **alone,
        **({"trigger": entry.trigger} if entry.trigger else {}),
        "description": line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 2]} …",
        "merged": {
            "method": recipe.how,
            "multiplier": recipe.multiplier,
            "precision": recipe.precision,
            "models": {
                place: {"id": one.id, "sha256": hashes[one.id]}
                for place, one in found.models.items()
            },
            "loras": [
                {
                    "id": lora.id,
                    "sha256": hashes[lora.id],
                    "strength": one.strength,
                    "text_strength": one.in_text,
                    **({} if one.on == "A" else {"on": one.on}),
                }
                for lora, one in found.loras
            ],
        },
    }


def _names(found: Ingredients) -> list[str]:
    return [entry.id for entry, _ in found.loras]
