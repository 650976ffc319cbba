"""Looking through a folder of models: pipelines, lone networks, single files. Weights stay unread."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.home import ASSETS
from studio.library.entry import ModelEntry
from studio.library.folders import folder_entry, picture_of, read_json
from studio.library.headers import describe, read_header
from studio.library.index import Index

MAX_DEPTH = 3
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
# What other tools keep beside a file, and read here.
_NOTES = (".json", ".civitai.info", ".yaml", ".preview.png", ".png", ".jpg", ".jpeg", ".webp")
_PICKLE = (
    "is a pickle ({}), which can run code when it is read; have it converted to "
    ".safetensors (most hubs offer that file too) and put that there"
)
_LINK = (
    "is a link out of the library, which is not followed; put the files there, "
    "or set STUDIO_HOME to where they lie"
)


def scan(root: Path, index: Index) -> Iterator[ModelEntry]:
    """Entries below ``root``: folders in diffusers' layout and what lies in them, single files."""
    if not root.is_dir():
        return
    listed = _listed(root)
    for item in listed.values():
        if item.is_dir() or root != ASSETS:  # loose files beside the shipped models are no models
            yield from _visit(item, listed, root, 0, index)


_Listing = Mapping[str, os.DirEntry[str]]


def _listed(folder: Path | str) -> dict[str, os.DirEntry[str]]:
    """What lies in a folder, by name."""
    try:
        with os.scandir(folder) as items:
            return {item.name: item for item in sorted(items, key=lambda item: item.name)}
    except OSError:
        return {}


def _visit(
    item: os.DirEntry[str], beside: _Listing, root: Path, depth: int, index: Index
) -> Iterator[ModelEntry]:
    if item.name.startswith("."):
        return
    if item.is_symlink() and not _inside(item, root):
        yield from _refused_link(item, root)
        return
    if not item.is_dir():
        entry = _file_entry(item, beside, root, index)
        if entry is not None:
            yield entry
        return
    path = Path(item.path)
    entry = folder_entry(path, root)
    components = read_json(path / "model_index.json")
    if entry is not None:
        yield entry
        if not components:
            return
    children = _listed(path) if depth < MAX_DEPTH else {}
    for child in children.values():
        # A pipeline's own components are no models of their own, nor are files beside them.
        if child.name not in components and (child.is_dir() or entry is None):
            yield from _visit(child, children, root, depth + 1, index)


def _inside(item: os.DirEntry[str], root: Path) -> bool:
    """Whether a symbolic link stays within the library, and does not lead back to where it lies."""
    try:
        target = Path(item.path).resolve()
        return target.is_relative_to(root.resolve()) and not _parent(item).is_relative_to(target)
    except (OSError, RuntimeError):
        return False


def _parent(item: os.DirEntry[str]) -> Path:
    return Path(item.path).parent.resolve()


def _refused_link(item: os.DirEntry[str], root: Path) -> Iterator[ModelEntry]:
    """A link that is not followed, where it looks like a folder of models or like a model."""
    stem, suffix = os.path.splitext(item.name)
    try:
        if not (item.is_dir() or suffix in (".safetensors", *PICKLES)):
            return
        leads_back = Path(item.path).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return
    if leads_back:
        return
    name = item.name if item.is_dir() else stem
    identity = Path(item.path).with_name(name).relative_to(root).as_posix()
    yield ModelEntry(
        id=identity,
        kind=_meant_for(f"{identity}/"),
        family="",
        bytes=0,
        path=item.path,
        title=identity,
        problem=_LINK,
    )


def _file_entry(
    item: os.DirEntry[str], beside: _Listing, root: Path, index: Index
) -> ModelEntry | None:
    """What a lone file is; the header is read only when the index does not know the file."""
    stem, suffix = os.path.splitext(item.name)
    if suffix not in (".safetensors", *PICKLES):
        return None
    try:
        state = item.stat()
        notes = [beside[stem + end].stat() for end in _NOTES if stem + end in beside]
    except OSError:
        return None
    identity = os.path.relpath(item.path, root)[: -len(suffix)].replace(os.sep, "/")
    meant = _meant_for(identity)
    if suffix == ".safetensors":
        modified = state.st_mtime_ns + sum(note.st_mtime_ns for note in notes)
        fields = index.get(
            item.path, modified, state.st_size, lambda: _look_at(item.path, stem, meant)
        )
    else:
        fields = {"kind": meant, "problem": _PICKLE.format(suffix)}
    if fields is None:
        return None
    fields = {"family": "", "title": identity, **fields, "words": tuple(fields.get("words", ()))}
    return ModelEntry(id=identity, bytes=state.st_size, path=item.path, **fields)


def _look_at(path: str, stem: str, meant: str) -> dict[str, Any] | None:
    """Fields of a file from its header, and from what other tools keep beside it."""
    file = Path(path)
    try:
        fields = describe(read_header(file), stem, meant == "embedding")
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        return {"kind": meant, "problem": f"is damaged ({error})"}
    if fields is None:
        return None
    notes = read_json(file.with_suffix(".json")) | read_json(file.with_suffix(".civitai.info"))
    words = notes.get("activation text") or ", ".join(
        str(word) for word in notes.get("trainedWords") or ()
    )
    if words and not fields.get("words"):
        fields["trigger"] = str(words)[:200]
    if notes.get("prediction_type") in ("epsilon", "v_prediction"):
        fields["prediction"] = notes["prediction_type"]
    elif _says_v(file.with_suffix(".yaml")):
        fields["prediction"] = "v_prediction"
    return fields | {"thumbnail": picture_of(file.with_suffix(""))}


def _says_v(config: Path) -> bool:
    """Whether the original config beside a checkpoint (as web UIs keep it) trains on v."""
    try:
        text = config.read_text(encoding="utf-8")[:20000]
    except (OSError, UnicodeDecodeError):
        return False
    return any(
        line.split("#")[0].replace('"', "").replace("'", "").split() == ["parameterization:", "v"]
        for line in text.splitlines()
    )


def _meant_for(identity: str) -> str:
    """What a file was meant to be, from the folder of the library that people put it in."""
    parts = identity.lower().split("/")[:-1]
    for kind, names in (
        ("lora", ("lora", "loras", "lycoris")),
        ("embedding", ("embeddings",)),
        ("controlnet", ("controlnet",)),
    ):
        if any(name in parts for name in names):
            return kind
    return "base"
