"""The lists that the web UI's interface shows: models, samplers, upscalers, styles, options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.library import ADAPTERS, Library, ModelEntry
from studio.library.upscalers import UPSCALER
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.preprocessors import PREPROCESSORS
from studio.preset.schedulers import SCHEDULERS
from studio.preset.styles import styles
from studio.ui.library.models import can_be_base


def checkpoints(library: Library) -> list[dict[str, Any]]:
    """The bases and fine-tunes that can be used, each by its id."""
    return [
        {
            "title": one.id,
            "model_name": one.id,
            "hash": one.hashes[0][:10] if one.hashes else None,
            "sha256": None,
            "filename": one.id,
            "config": None,
        }
        for one in library.entries()
        if can_be_base(one)
    ]


def samplers() -> list[dict[str, Any]]:
    """The schedulers under the names that the web UI has for them."""
    names = {kind.a1111 or kind.title: name for name, kind in SCHEDULERS.items()}
    return [{"name": name, "aliases": [own], "options": {}} for name, own in names.items()]


def schedules() -> list[dict[str, Any]]:
    """The noise schedules."""
    return [
        {
            "name": name,
            "label": kind.a1111 or kind.title,
            "aliases": None,
            "default_rho": -1,
            "need_inner_model": False,
        }
        for name, kind in NOISE_SCHEDULES.items()
    ]


def upscalers(library: Library) -> list[dict[str, Any]]:
    """What enlarges pictures: Lanczos, and the library's networks."""
    names = ["None", "Lanczos", *(one.id for one in _usable(library, (UPSCALER,)))]
    empty = {"model_name": None, "model_path": None, "model_url": None, "scale": 4}
    return [{"name": name, **empty} for name in names]


def loras(library: Library) -> list[dict[str, Any]]:
    """The library's LoRAs, under the names that a prompt's tag may have."""
    found = _usable(library, ADAPTERS)
    return [
        {
            "name": one.id,
            "alias": one.title or one.id,
            "path": one.id,
            "metadata": {"ss_trigger": one.trigger} if one.trigger else {},
        }
        for one in found
    ]


def embeddings(library: Library) -> dict[str, Any]:
    """Models that hold learned words."""
    empty = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None}
    kept = [one for one in library.entries() if not one.problem]
    held = [one for one in kept if one.words or one.kind == "embedding"]
    found = {one.id: {**empty, "shape": 0, "vectors": len(one.words)} for one in held}
    return {"loaded": found, "skipped": {}}


def autoencoders(library: Library) -> list[dict[str, Any]]:
    """The library's autoencoders."""
    return [{"model_name": one.id, "filename": one.id} for one in _usable(library, ("vae",))]


def prompt_styles() -> list[dict[str, Any]]:
    """The styles that are kept."""
    return [
        {"name": one.name, "prompt": one.prompt, "negative_prompt": one.negative}
        for one in styles()
    ]


def control_models(library: Library) -> dict[str, Any]:
    """The library's ControlNets."""
    return {"model_list": [one.id for one in _usable(library, ("controlnet",))]}


def control_modules() -> dict[str, Any]:
    """The preprocessors."""
    return {"module_list": ["none", *PREPROCESSORS], "module_detail": {}}


def options(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The few options that there are."""
    plain = {"samples_format": "png", "sd_vae": "Automatic", "CLIP_stop_at_last_layers": 1}
    return {**plain, **chosen}


def _usable(library: Library, kinds: Sequence[str]) -> list[ModelEntry]:
    return [one for one in library.entries() if one.kind in kinds and not one.problem]
