"""What the outcome has of A as it is: autoencoder, scheduler, tokenizers, the pipeline's index."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers

from studio.engine.families import family_named, single_file
from studio.engine.merging.writing import write
from studio.errors import MissingModel, StudioError, shorten
from studio.library import ModelEntry, family_of
from studio.library.folders import read_json
from studio.library.hub_pipelines import INDEX, UNUSED, VAE
from studio.library.model_files import TEXTS, is_plain
from studio.library.weight_files import one_precision

BESIDE = ("preview.safetensors", "vocabulary.json")  # what the studio reads in a base's folder
SCHEDULER = "scheduler"
_BLOCK = 2**24
WEIGHTS = {True: "model.safetensors", False: "diffusion_pytorch_model.safetensors"}


@dataclass(frozen=True)
class Around:
    """What of A is copied, as it stands before the merging begins.

    ``index``: the outcome's ``model_index.json``, {} for none. ``files``: each file of A with its path in
    the outcome.
    """

    entry: ModelEntry
    index: dict[str, Any] = field(default_factory=dict)
    files: tuple[tuple[Path, Path], ...] = ()

    @property
    def decodes(self) -> bool:
        """Whether an autoencoder is in it."""
        value = self.index.get(VAE)
        return isinstance(value, list) and any(value)


def look_around(entry: ModelEntry, merged: Collection[str]) -> Around:
    """What of A is not merged; nothing is written.

    Args:
        merged: the parts that are.

    Raises:
        MissingModel: a part is not there that A's index names; names ``A``.
        StudioError: a file is a link that leads out of the model; names ``A``.
    """
    path = Path(entry.path)
    if entry.one_file:
        return Around(entry)
    files = [(path / name, Path(name)) for name in BESIDE if (path / name).is_file()]
    index = {key: one for key, one in read_json(path / INDEX).items() if is_plain(key)}
    for name, value in index.items():
        if not isinstance(value, list) or name in merged:
            continue
        # A pipeline without these runs in diffusers as well, where its index does not name them.
        if name in UNUSED or not any(value):
            index[name] = [None, None]
        elif (path / name).is_dir():
            files += _of_part(path / name, name)
        elif name == VAE:  # which a row's model does without
            index[name] = [None, None]
        else:
            raise MissingModel(
                f"{shorten(entry.id)} lacks its {shorten(name)}; fetch it again", field="A"
            )
    if not index and (path / SCHEDULER).is_dir():  # a network alone that says how it was trained
        files += _of_part(path / SCHEDULER, SCHEDULER)
    for file, _ in files:
        _check_within(file, path, entry)
    return Around(entry, index, tuple(files))


def _of_part(source: Path, part: str) -> Iterator[tuple[Path, Path]]:
    files = sorted(source.iterdir())
    weights = one_precision([file for file in files if file.suffix == ".safetensors"])
    for file in files:
        if file.is_file() and (file in weights or file.suffix in TEXTS):
            alone = len(weights) == 1 and file in weights
            name = f"{file.name.partition('.')[0]}.safetensors" if alone else file.name
            yield file, Path(part, name)


def _check_within(file: Path, model: Path, entry: ModelEntry) -> None:
    """A link may lead to another file of the model, in the hub's cache to a blob of its repository."""
    top, target = model.resolve(), file.resolve()
    within = [top]
    if top.parent.name == "snapshots":
        within.append(top.parent.parent / "blobs")
    if not any(target.is_relative_to(one) for one in within):
        raise StudioError(
            f"{shorten(entry.id)}: {shorten(file.relative_to(model).as_posix())} is a link out of the "
            "model, which is not followed; put the file there",
            field="A",
        )


def copy_around(around: Around, folder: Path) -> Iterator[int]:
    """Write into ``folder`` what is not merged; yields the bytes that were written.

    Raises:
        OSError: the disk is full or cannot be written to.
        MissingModel: a file is gone or cannot be read; names ``A``.
    """
    if around.entry.one_file:
        yield from _of_file(around.entry, folder)
        return
    for source, place in around.files:
        (folder / place).parent.mkdir(exist_ok=True)
        yield from _copy(around.entry, source, folder / place)
    if around.index:
        _write_index(around.index, folder)


def _copy(entry: ModelEntry, source: Path, target: Path) -> Iterator[int]:
    with _read_of(entry, source):
        read = source.open("rb")
    with read, target.open("xb") as written:
        while True:
            with _read_of(entry, source):
                block = read.read(_BLOCK)
            if not block:
                break
            written.write(block)
            yield len(block)
        written.flush()
        os.fsync(written.fileno())
    with suppress(OSError):
        shutil.copymode(source, target)


@contextmanager
def _read_of(entry: ModelEntry, file: Path) -> Iterator[None]:
    """What cannot be read inside the ``with`` is A's fault, not the disk's that is written to."""
    try:
        yield
    except OSError as error:
        raise MissingModel(
            f"{shorten(entry.id)}: {shorten(file.name)} cannot be read ({error.strerror or error}); "
            "nothing is kept of the outcome",
            field="A",
        ) from error


def _write_index(index: dict[str, Any], folder: Path) -> None:
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _of_file(entry: ModelEntry, folder: Path) -> Iterator[int]:
    """The parts that a whole-model file holds, or leaves to its family, in diffusers' layout."""
    layout = family_of(entry.family).in_file
    assert layout is not None
    index: dict[str, Any] = {
        "_class_name": family_of(entry.family).pipelines[0],
        "_diffusers_version": diffusers.__version__,
        "unet": ["diffusers", family_of(entry.family).network],
        "vae": [None, None],
    }
    config = dict(family_named(entry.family).scheduler_config(entry))
    kind = getattr(diffusers, str(config.get("_class_name", "DDIMScheduler")))
    kind.from_config(config).save_pretrained(folder / SCHEDULER)
    if "text" in entry.lacks:
        return  # a network alone, which is a row as it is
    index[SCHEDULER] = ["diffusers", kind.__name__]
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
    _write_index(index, folder)


def _autoencoder(entry: ModelEntry, folder: Path) -> Iterator[int]:
    import torch

    vae = single_file.load(diffusers.AutoencoderKL, entry, "vae", torch.float32)
    vae.save_config(folder)
    state = vae.state_dict()
    shapes = {name: (tuple(t.shape), t.dtype) for name, t in state.items()}
    yield from write(folder / WEIGHTS[False], shapes, iter(state.values()), {})
