"""Reading one part of a pipeline: from a folder in diffusers' layout, a whole-model file, a hub."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.engine.families import gguf_network, single_file
from studio.engine.families.pretrained import (
    check_complete,
    check_config,
    from_folder,
    guarded_entry,
)
from studio.errors import MissingModel
from studio.library import ModelEntry
from studio.library.families import networks
from studio.library.gguf_files import gguf_files

_HALF = re.compile(r"\.fp16(?:-\d+-of-\d+)?\.safetensors$")


def source(entry: ModelEntry) -> str:
    """Where the libraries find a model's parts."""
    return entry.path or entry.id


def load_component(
    kind: Any, entry: ModelEntry, part: str, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """One network, frozen, on its device; from safetensors, or from a GGUF file, which is data too.

    Args:
        kind: a class of diffusers or transformers with ``from_pretrained``.
        part: the component's name in the pipeline; "" for a network that is a model by itself.

    Raises:
        MissingModel: absent or damaged; names the model.
    """
    if single_file.is_single_file(entry):
        model = guarded_entry(lambda: single_file.load(kind, entry, part, dtype), entry)
        check_complete(model, (), entry.id, part)
        model = model.to(dtype)
    else:
        model = _from_folder(kind, entry, part, dtype)
    return model.to(device).eval().requires_grad_(False)


def _from_folder(kind: Any, entry: ModelEntry, part: str, dtype: torch.dtype) -> Any:
    path = source(entry)
    inside = part if part and (Path(path, part).is_dir() or not entry.path) else ""
    rounded = gguf_files(Path(path, inside)) if entry.path else []
    if rounded and kind.__name__ in networks():
        return gguf_network.load(kind, rounded, entry.id, dtype)
    # Of a hub's pipeline the fp16 files are half the download, where there are any.
    variants = ["fp16", None] if not entry.path and dtype == torch.float16 else [None]
    if entry.path:
        files = [file.name for file in Path(path, inside).glob("*.safetensors")]
        halves = [name for name in files if _HALF.search(name)]
        if halves and len(halves) == len(files):
            variants = ["fp16"]
    for variant in variants:
        try:
            return from_folder(kind, path, entry.id, inside, dtype, variant)
        except MissingModel:
            if variant == variants[-1]:
                raise
    raise AssertionError("unreachable: the last variant raises")


def load_tokenizer(kind: Any, entry: ModelEntry, part: str) -> Any:
    """A tokenizer of the pipeline; a whole-model file has its family's."""
    if single_file.is_single_file(entry):
        return single_file.tokenizer(entry, part)
    return guarded_entry(
        lambda: kind.from_pretrained(source(entry), subfolder=part, trust_remote_code=False), entry
    )


def load_config(entry: ModelEntry, part: str) -> dict[str, Any]:
    """A component's config, such as the scheduler's; {} where the pipeline has none."""
    from diffusers import DDIMScheduler

    if single_file.is_single_file(entry):
        return single_file.config(entry, part)
    if entry.path and not Path(entry.path, part).is_dir():
        return {}
    return _checked(
        guarded_entry(lambda: DDIMScheduler.load_config(source(entry), subfolder=part), entry),
        f"{entry.id!r}: {part}",
    )


def load_model_index(entry: ModelEntry) -> dict[str, Any]:
    """The pipeline's own settings; {} for a whole-model file or a lone network."""
    from diffusers import DiffusionPipeline

    if single_file.is_single_file(entry):
        return {}
    if entry.path and not Path(entry.path, "model_index.json").is_file():
        return {}
    return _checked(
        guarded_entry(lambda: DiffusionPipeline.load_config(source(entry)), entry),
        f"{entry.id!r}: model_index.json",
    )


def _checked(config: Any, where: str) -> dict[str, Any]:
    check_config(config, where)
    return dict(config)
