"""A lone file of the library: what its header and what lies beside it say; weights stay unread."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.errors import shorten
from studio.files import shown
from studio.library import upscalers
from studio.library.entry import SAFETENSORS, ModelEntry
from studio.library.guard import damage, header_of
from studio.library.headers import describe
from studio.library.index import Index
from studio.library.sidecars import beside, endings

PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
# Files of weights that are neither, and why they stay closed.
_OTHER_FILES = {
    ".gguf": (
        "is a GGUF file alone; if it holds a denoising network, put it into the folder unet or "
        "transformer of its base in diffusers' layout, beside config.json and in place of the "
        ".safetensors there"
    ),
    ".onnx": "is an ONNX network, which is not run; take the model's .safetensors",
}
WEIGHTS = (*SAFETENSORS, *PICKLES, *_OTHER_FILES)
_PICKLE = (
    "is a pickle ({}), which can run code when it is read; in its folder "
    "'python -m studio convert {}' makes a .safetensors of its tensors"
)
_FOLDERS_ONLY = "is a network of {} in one file; that family is read from folders"
_TEXT = "is a text encoder alone; a base is read with its own"
# Sound networks that are no model here, by the beginning of a tensor's name.
_STRANGERS = {
    "double_blocks.": _FOLDERS_ONLY.format("FLUX.1"),
    "joint_blocks.": _FOLDERS_ONLY.format("Stable Diffusion 3"),
    "vision_model.": "is an image encoder (CLIP), which IP-Adapters see with; it is no row",
    "text_model.": _TEXT,
    "transformer.resblocks.": _TEXT,
    "encoder.block.": _TEXT,
    "transformer_layes.": "is a style adapter; the studio runs T2I-Adapters of maps",
}
# Names of folders in which people put models of one kind.
_MEANT = {
    "lora": ("lora", "loras", "lycoris"),
    "embedding": ("embedding", "embeddings"),
    "controlnet": ("controlnet", "controlnets"),
    "vae": ("vae", "vaes"),
}


def file_entry(
    item: os.DirEntry[str], listing: Mapping[str, os.DirEntry[str]], identity: str, index: Index
) -> ModelEntry | None:
    """What a lone file is; its header is read only when the index does not know the file.

    Args:
        listing: what lies in its folder, by name.
        identity: its id.

    Raises:
        OSError: it is no regular file.
    """
    stem, suffix = os.path.splitext(item.name)
    suffix = suffix.lower()
    if suffix not in WEIGHTS:
        return None
    state = item.stat()
    if not stat.S_ISREG(state.st_mode):
        raise OSError(0, "is a pipe or a device, not a file")
    meant = meant_for(identity)

    def entry(fields: dict[str, Any]) -> ModelEntry:
        several = {name: tuple(fields.get(name, ())) for name in ("words", "lacks", "hashes")}
        fields = {"family": "", "title": identity, **fields, **several}
        if fields["kind"] == upscalers.UPSCALER and not fields.get("problem"):
            fields["problem"] = upscalers.problem()  # not of the file, and not for its index
        return ModelEntry(id=identity, bytes=state.st_size, path=item.path, **fields).checked()

    if suffix not in SAFETENSORS:
        pickle = _PICKLE.format(suffix, shlex.quote(shown(item.name)))
        return entry({"kind": meant, "problem": _OTHER_FILES.get(suffix, pickle)})
    notes = [listing[stem + end].stat() for end in endings() if stem + end in listing]
    modified = state.st_mtime_ns + sum(note.st_mtime_ns for note in notes)
    look = _Look(item.path, stem, meant)
    fields = index.get(item.path, modified, state.st_size, look)
    if look.done or fields is None:
        return None if fields is None else entry(fields)
    try:
        return entry(fields)
    except (TypeError, ValueError):  # the index is at fault, not the file
        fields = index.renew(item.path, modified, state.st_size, look)
        return None if fields is None else entry(fields)


def meant_for(identity: str) -> str:
    """What a file was meant to be, from the folder of the library that people put it in."""
    parts = identity.lower().split("/")[:-1]
    for kind, names in _MEANT.items():
        if any(name in parts for name in names):
            return kind
    return upscalers.UPSCALER if upscalers.are_kept_in(parts) else "base"


class _Look:
    """Looks at one file when it is called; ``done``: whether it was."""

    def __init__(self, path: str, stem: str, meant: str) -> None:
        self.path, self.stem, self.meant = Path(path), stem, meant
        self.done = False

    def __call__(self) -> dict[str, Any] | None:
        self.done = True
        try:
            return _look_at(self.path, self.stem, self.meant)
        except Exception as error:  # as under the guard; kept in the index like any other answer
            return {"kind": self.meant, "problem": damage(error)}


def _look_at(file: Path, stem: str, meant: str) -> dict[str, Any] | None:
    """Fields of a file from its header, and from what other tools keep beside it."""
    header = header_of(file)
    fields = describe(header, stem, meant == "embedding")
    if fields is None:
        fields = _besides(header, meant)
        if "problem" in fields:
            return fields
    metadata = header.get("__metadata__")
    notes = beside(file, metadata if isinstance(metadata, Mapping) else {})
    if fields.get("words"):
        notes.pop("trigger", None)
    return fields | notes


def _besides(header: Mapping[str, Any], meant: str) -> dict[str, Any]:
    """What a sound file is that is no model of a row: an upscaler, or why it is none of any kind."""
    names = [key for key in header if key != "__metadata__"]
    for mark, what in _STRANGERS.items():
        if any(name.removeprefix("model.diffusion_model.").startswith(mark) for name in names):
            return {"kind": meant, "problem": what}
    if upscalers.is_upscaler(names) or (names and meant == upscalers.UPSCALER):
        return {"kind": upscalers.UPSCALER}
    first = next(iter(names), "")
    holds = f"its first tensor is called {shorten(shown(first))}" if first else "it holds no tensor"
    return {"kind": meant, "problem": f"is a model of no kind that is known here: {holds}"}
