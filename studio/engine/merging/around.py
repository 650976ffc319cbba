"""What the outcome has of A as it is: autoencoder, scheduler, tokenizers, the pipeline's index."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers

from studio.engine.families import family_named, single_file
from studio.engine.merging.writing import write
from studio.library import ModelEntry, family_of
from studio.library.folders import read_json
from studio.library.hub_pipelines import INDEX, UNUSED
from studio.library.model_files import TEXTS
from studio.library.weight_files import one_precision

BESIDE = ("preview.safetensors", "vocabulary.json")  # what the studio reads in a base's folder
_BLOCK = 2**24
WEIGHTS = {True: "model.safetensors", False: "diffusion_pytorch_model.safetensors"}


def copy_around(entry: ModelEntry, merged: set[str], folder: Path) -> Iterator[int]:
    """Write into ``folder`` what is not merged; yields the bytes that were written.

    Args:
        entry: A.
        merged: folders of the parts that are written already.

    Raises:
        OSError: the disk is full or cannot be written to.
    """
    if entry.one_file:
        yield from _of_file(entry, folder)
    else:
        yield from _of_folder(Path(entry.path), merged, folder)


def _of_folder(path: Path, merged: set[str], folder: Path) -> Iterator[int]:
    for name in BESIDE:
        if (path / name).is_file():
            yield from _copy(path / name, folder / name)
    index = read_json(path / INDEX)
    if not index:
        return
    for name, value in index.items():
        if not isinstance(value, list) or name in merged:
            continue
        # A pipeline without these runs in diffusers as well, where its index does not name them.
        if name in UNUSED or not (path / name).is_dir():
            index[name] = [None, None]
            continue
        yield from _copy_part(path / name, folder / name)
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _copy_part(source: Path, target: Path) -> Iterator[int]:
    target.mkdir()
    files = sorted(source.iterdir())
    weights = one_precision([file for file in files if file.suffix == ".safetensors"])
    for file in files:
        if file.is_file() and (file in weights or file.suffix in TEXTS):
            alone = len(weights) == 1 and file in weights
            name = f"{file.name.partition('.')[0]}.safetensors" if alone else file.name
            yield from _copy(file, target / name)


def _copy(source: Path, target: Path) -> Iterator[int]:
    with source.open("rb") as read, target.open("xb") as written:
        while block := read.read(_BLOCK):
            written.write(block)
            yield len(block)
    shutil.copymode(source, target)


def _of_file(entry: ModelEntry, folder: Path) -> Iterator[int]:
    """The parts that a whole-model file holds, or leaves to its family, in diffusers' layout."""
    layout = family_of(entry.family).in_file
    assert layout is not None
    if "text" in entry.lacks:
        return  # a network alone, which is a row as it is
    index: dict[str, Any] = {
        "_class_name": family_of(entry.family).pipelines[0],
        "_diffusers_version": diffusers.__version__,
        "unet": ["diffusers", family_of(entry.family).network],
        "vae": [None, None],
    }
    config = dict(family_named(entry.family).scheduler_config(entry))
    kind = getattr(diffusers, str(config.get("_class_name", "DDIMScheduler")))
    kind.from_config(config).save_pretrained(folder / "scheduler")
    index["scheduler"] = ["diffusers", kind.__name__]
    for number, part in enumerate(layout.towers):
        tokenizer = part.replace("text_encoder", "tokenizer")
        single_file.tokenizer(entry, tokenizer).save_pretrained(folder / tokenizer)
        index[tokenizer] = ["transformers", "CLIPTokenizer"]
        index[part] = ["transformers", f"CLIPTextModel{'WithProjection' if number else ''}"]
    if "vae" not in entry.lacks:
        yield from _autoencoder(entry, folder / "vae")
        index["vae"] = ["diffusers", "AutoencoderKL"]
    if len(layout.towers) == 1:
        unused = {name: [None, None] for name in ("safety_checker", "feature_extractor")}
        index |= {**unused, "requires_safety_checker": False}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _autoencoder(entry: ModelEntry, folder: Path) -> Iterator[int]:
    import torch

    vae = single_file.load(diffusers.AutoencoderKL, entry, "vae", torch.float32)
    vae.save_config(folder)
    state = vae.state_dict()
    shapes = {name: (tuple(t.shape), t.dtype) for name, t in state.items()}
    yield from write(folder / WEIGHTS[False], shapes, iter(state.values()), {})
