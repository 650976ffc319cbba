"""Reading one part of a pipeline: from a folder in diffusers' layout, a whole-model file, a hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.engine.families import single_file
from studio.errors import MissingModel
from studio.library import ModelEntry
from studio.library.hub import check_reachable


def source(entry: ModelEntry) -> str:
    """Where the libraries find a model's parts."""
    return entry.path or entry.id


def load_component(
    kind: Any, entry: ModelEntry, part: str, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """One network, frozen, on its device; from safetensors only.

    Args:
        kind: a class of diffusers or transformers with ``from_pretrained``.
        part: the component's name in the pipeline; "" for a network that is a model by itself.

    Raises:
        MissingModel: absent or damaged; names the model.
    """
    if single_file.is_single_file(entry):
        model = guarded(lambda: single_file.load(kind, entry, part, dtype), entry)
    else:
        model = _from_folder(kind, entry, part, dtype)
    return model.to(device).eval().requires_grad_(False)


def _from_folder(kind: Any, entry: ModelEntry, part: str, dtype: torch.dtype) -> Any:
    options: dict[str, Any] = {"use_safetensors": True}
    options["dtype" if kind.__module__.startswith("transformers") else "torch_dtype"] = dtype
    if part and (Path(source(entry), part).is_dir() or not entry.path):
        options["subfolder"] = part
    # Of a hub's pipeline the fp16 files are half the download, where there are any.
    variants = ["fp16", None] if not entry.path and dtype == torch.float16 else [None]
    folder = Path(source(entry), part)
    if entry.path and any(folder.glob("*.fp16.safetensors")):
        plain = [file for file in folder.glob("*.safetensors") if ".fp16." not in file.name]
        variants = [None] if plain else ["fp16"]
    for variant in variants:
        try:
            return guarded(
                lambda v=variant: kind.from_pretrained(source(entry), variant=v, **options), entry
            )
        except MissingModel:
            if variant == variants[-1]:
                raise
    raise AssertionError("unreachable: the last variant raises")


def load_tokenizer(kind: Any, entry: ModelEntry, part: str) -> Any:
    """A tokenizer of the pipeline; a whole-model file has its family's."""
    if single_file.is_single_file(entry):
        return single_file.tokenizer(entry, part)
    return guarded(lambda: kind.from_pretrained(source(entry), subfolder=part), entry)


def load_config(entry: ModelEntry, part: str) -> dict[str, Any]:
    """A component's config, such as the scheduler's; {} where the pipeline has none."""
    from diffusers import DDIMScheduler

    if single_file.is_single_file(entry):
        return single_file.config(entry, part)
    if entry.path and not Path(entry.path, part).is_dir():
        return {}
    return dict(guarded(lambda: DDIMScheduler.load_config(source(entry), subfolder=part), entry))


def load_model_index(entry: ModelEntry) -> dict[str, Any]:
    """The pipeline's own settings; {} for a whole-model file or a lone network."""
    from diffusers import DiffusionPipeline

    if single_file.is_single_file(entry):
        return {}
    if entry.path and not Path(entry.path, "model_index.json").is_file():
        return {}
    return dict(guarded(lambda: DiffusionPipeline.load_config(source(entry)), entry))


def guarded(load: Callable[[], Any], entry: ModelEntry) -> Any:
    """Turn the libraries' many ways to fail into one line that names the model."""
    from safetensors import SafetensorError

    if not entry.path:
        check_reachable(entry.id)
    try:
        return load()
    except (
        OSError,
        SafetensorError,
        json.JSONDecodeError,
        KeyError,
        ValueError,
        RuntimeError,
    ) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        if not entry.path:
            raise MissingModel(
                f"{entry.id!r} is not in the library, and could not be had from the hub "
                f"({_first_line(error)})",
                field="base",
            ) from error
        raise MissingModel(f"{entry.id!r} cannot be loaded: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
