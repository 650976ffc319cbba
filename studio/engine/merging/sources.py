"""The parts of a model that are merged, as tensors by their names in diffusers' layout.

Files are mapped, not read: a tensor takes memory while it is looked at. A whole-model file is brought
to diffusers' names by the same converters that load it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.families import single_file
from studio.engine.families.pretrained import (
    check_complete,
    check_config,
    check_files,
    guarded,
    refuse_missing,
)
from studio.errors import MissingModel
from studio.library import ModelEntry, family_of, read_header
from studio.library.alike import NO_WEIGHTS
from studio.library.folders import read_json
from studio.library.weight_files import one_precision

TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3")
_CLIP = "text_model."  # before a tower's names, or not, by the library's version that saved it
_TIED = "shared.weight", "encoder.embed_tokens.weight"  # T5's embedding: a file has one, or both
# Text encoders whose files have the tensors' names that their classes have.
_SAME_NAMES = ("CLIPText", "T5Encoder")


@dataclass(frozen=True)
class Part:
    """A network of a model: its tensors by name, and its config.

    ``name``: its folder in the outcome. ``tensors``: as the files have them. ``kind``: its class.
    """

    name: str
    kind: Any
    config: dict[str, Any]
    tensors: Mapping[str, Tensor]
    _plain: dict[str, str] = field(default_factory=dict)

    @property
    def is_text(self) -> bool:
        """Whether it is a text encoder."""
        return self.name in TEXT

    def find(self, name: str) -> Tensor | None:
        """The tensor that another file or a module calls ``name``."""
        own = self.called(name)
        return None if own is None else self.tensors[own]

    def called(self, name: str) -> str | None:
        """The part's own name of that tensor."""
        if not self._plain:
            self._plain.update({plain(one): one for one in self.tensors})
            for one, other in (_TIED, _TIED[::-1]):
                if other in self.tensors:
                    self._plain.setdefault(one, other)
        return self._plain.get(plain(name))

    def weights(self) -> Iterator[str]:
        """Names of what is merged."""
        return (name for name in self.tensors if not NO_WEIGHTS.search(name))

    def module(self) -> nn.Module:
        """The network with its tensors where they are, for adapters whose change depends on them."""
        made = self._empty()
        found = {name: self.find(name) for name in made.state_dict()}
        state = {name: value for name, value in found.items() if value is not None}
        made.load_state_dict(state, strict=False, assign=True)
        return made.eval().requires_grad_(False)

    def lacking(self) -> list[str]:
        """Names of what its class has and its files do not hold."""
        if self.is_text and not self.kind.__name__.startswith(_SAME_NAMES):
            return []
        names = (one for one in self._empty().state_dict() if not NO_WEIGHTS.search(one))
        return [one for one in names if self.called(one) is None]

    def _empty(self) -> nn.Module:
        from accelerate import init_empty_weights

        with init_empty_weights(include_buffers=False):
            if self.is_text:
                return self.kind(self.kind.config_class(**self.config))
            return self.kind.from_config(dict(self.config))


def plain(name: str) -> str:
    """A tensor's name, whichever version of the library saved it."""
    return name.removeprefix(_CLIP)


def parts_of(entry: ModelEntry) -> dict[str, Part]:
    """The denoising network, called ``network``, and the text encoders of a model.

    Raises:
        MissingModel: a file is damaged or holds no network; names the model.
    """
    return guarded(lambda: _of_file(entry) if entry.one_file else _of_folder(entry), entry.id, "")


def _of_folder(entry: ModelEntry) -> dict[str, Part]:
    path = Path(entry.path)
    inside = family_of(entry.family).part
    if not (path / inside).is_dir() and not (path / "model_index.json").is_file():
        found = {"network": _folder_part(entry, path, inside)}
    else:
        found = {"network": _folder_part(entry, path / inside, inside)}
    for name in TEXT:
        if (path / name / "config.json").is_file():
            found[name] = _folder_part(entry, path / name, name)
    return found


def _folder_part(entry: ModelEntry, folder: Path, name: str) -> Part:
    check_files(folder, entry.id)
    config = read_json(folder / "config.json")
    check_config(config, f"{entry.id!r}: {folder.name}/config.json")
    tensors = _Mapped(one_precision(sorted(folder.glob("*.safetensors"))))
    if not tensors:
        raise MissingModel(f"{entry.id!r} holds no .safetensors in {folder.name}")
    part = Part(name, _kind(config, name, entry), config, tensors)
    refuse_missing(part.lacking(), entry.id, folder.name)
    return part


def _kind(config: Mapping[str, Any], name: str, entry: ModelEntry) -> Any:
    """The class of a part, from its config."""
    if name in TEXT:
        import transformers as library

        stated = config.get("architectures")
        called = str(stated[0]) if isinstance(stated, list) and stated else "CLIPTextModel"
    else:
        import diffusers as library

        called = family_of(entry.family).network
    kind = getattr(library, called, None)
    if kind is None:
        raise MissingModel(f"{entry.id!r}: {name} is a {called}, which no library here has")
    return kind


def _of_file(entry: ModelEntry) -> dict[str, Part]:
    """The parts of a whole-model file, or the network that lies alone in its file."""
    import diffusers
    import transformers

    path = Path(entry.path)
    family = family_of(entry.family)
    layout = family.in_file
    assert layout is not None
    kinds = {"unet": getattr(diffusers, family.network)}
    if "text" not in entry.lacks:
        for number, name in enumerate(layout.towers):
            kinds[name] = (
                transformers.CLIPTextModelWithProjection if number else transformers.CLIPTextModel
            )
    found = {}
    for name, kind in kinds.items():
        loaded = single_file.load(kind, entry, name, _stored(path, entry, name))
        check_complete(loaded, (), entry.id, name)
        config = json.loads(
            loaded.config.to_json_string() if name in TEXT else loaded.to_json_string()
        )
        if name in TEXT:
            config["architectures"] = [kind.__name__]
        found["network" if name == "unet" else name] = Part(name, kind, config, loaded.state_dict())
    return found


def _stored(path: Path, entry: ModelEntry, part: str) -> torch.dtype:
    """The type that a part's numbers have in the file; of 8-bit floats, one that holds them."""
    prefixes = single_file.prefixes_of(entry, part)
    header = read_header(path)
    types = {
        value["dtype"]
        for name, value in header.items()
        if name != "__metadata__" and name.startswith(prefixes)
    }
    if types and types <= {"F16", "I64"}:
        return torch.float16
    return torch.bfloat16 if types and types <= {"BF16", "I64"} else torch.float32


class _Mapped(Mapping[str, Tensor]):
    """Tensors of files by name; each is mapped when it is asked for."""

    def __init__(self, files: list[Path]) -> None:
        from safetensors import safe_open

        opened = [safe_open(file, framework="pt") for file in files]
        self._where = {name: file for file in opened for name in file.keys()}  # noqa: SIM118

    def __getitem__(self, name: str) -> Tensor:
        return self._where[name].get_tensor(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)
