"""Looking through a folder of models: pipelines, lone networks, single files. Weights stay unread.

Anything can lie in such a folder. Each entry is looked at under a guard of its own: whatever goes
wrong with it becomes the reason why it cannot be used, and the others are found all the same.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from studio.errors import shorten
from studio.files import is_text, shown
from studio.home import ASSETS
from studio.library.entry import ModelEntry
from studio.library.folders import CARD, PART, folder_entry, picture_of, read_json, read_text
from studio.library.guard import damage, guarded, header_of
from studio.library.headers import describe
from studio.library.index import Index

MAX_DEPTH = 3
MOST_ITEMS = 50_000  # files and folders in one folder of the library
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
# What other tools keep beside a file, and read here.
_NOTES = (".json", ".civitai.info", ".yaml", ".preview.png", ".png", ".jpg", ".jpeg", ".webp")
_PICKLE = (
    "is a pickle ({}), which can run code when it is read; in its folder "
    "'python -m studio convert {}' makes a .safetensors of its tensors"
)
_LINK = (
    "is a link out of the library, which is not followed; put the files there, "
    "or name the folder that they lie in with --models or STUDIO_MODELS"
)
_NAME = "has a file name that is not UTF-8 text; give it another one"


def scan(root: Path, index: Index) -> Iterator[ModelEntry]:
    """Entries below ``root``: folders in diffusers' layout and what lies in them, single files."""
    if not root.is_dir():
        return
    listed = _listed(root)
    if len(listed) == MOST_ITEMS:
        yield _problem(
            str(root), "models", f"holds more than {MOST_ITEMS} files; the rest is not seen"
        )
    for item in listed.values():
        # Loose files beside the shipped models are no models.
        if root != ASSETS or _is_folder(item):
            yield from _visit(item, listed, root, 0, index)


_Listing = Mapping[str, os.DirEntry[str]]


def _listed(folder: Path | str) -> dict[str, os.DirEntry[str]]:
    """What lies in a folder, by name; no more than ``MOST_ITEMS``."""
    try:
        with os.scandir(folder) as items:
            found = list(islice(items, MOST_ITEMS))
    except (OSError, ValueError):
        return {}
    return {item.name: item for item in sorted(found, key=lambda item: item.name)}


def _visit(
    item: os.DirEntry[str], beside: _Listing, root: Path, depth: int, index: Index
) -> Iterator[ModelEntry]:
    if item.name.startswith("."):
        return
    if not is_text(item.name):
        if _is_folder(item) or item.name.endswith((".safetensors", *PICKLES)):
            yield _problem(shown(item.path), _identity(Path(item.path), root), _NAME)
    elif item.is_symlink() and not _inside(item, root):
        yield from _refused_link(item, root)
    elif _is_folder(item):
        yield from _folder(Path(item.path), root, depth, index)
    else:
        entry = guarded(
            lambda: _file_entry(item, beside, root, index), _refusal(Path(item.path), root)
        )
        if entry is not None:
            yield entry


def _folder(path: Path, root: Path, depth: int, index: Index) -> Iterator[ModelEntry]:
    """A folder's own entry, and those of what lies in it; none where its card calls it a part."""
    if read_json(path / CARD).get(PART):
        return
    entry = guarded(lambda: folder_entry(path, root), _refusal(path, root))
    components = read_json(path / "model_index.json")
    if entry is not None:
        yield entry
        if not components:
            return
    children = _listed(path) if depth < MAX_DEPTH else {}
    for child in children.values():
        # A pipeline's own components are no models of their own, nor are files beside them.
        if child.name not in components and (entry is None or _is_folder(child)):
            yield from _visit(child, children, root, depth + 1, index)


def _refusal(path: Path, root: Path) -> Callable[[str], ModelEntry]:
    return lambda problem: _problem(str(path), _identity(path, root), problem)


def _identity(path: Path, root: Path) -> str:
    """A file's path below the library without the suffix of weights, as text."""
    relative = shown(path.relative_to(root).as_posix())
    stem, suffix = os.path.splitext(relative)
    return stem if suffix in (".safetensors", *PICKLES) else relative


def _problem(path: str, identity: str, problem: str) -> ModelEntry:
    return ModelEntry(
        id=identity,
        kind=_meant_for(f"{identity}/" if os.path.isdir(path) else identity),
        family="",
        bytes=0,
        path=path,
        title=identity,
        problem=problem,
    )


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link that leads to itself
        return False


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
    folder = _is_folder(item)
    if not folder and not item.name.endswith((".safetensors", *PICKLES)):
        return
    try:
        leads_back = Path(item.path).resolve(strict=True).is_relative_to(root.resolve())
    except FileNotFoundError:
        leads_back = False
    except (OSError, RuntimeError):  # a link that leads to itself
        yield _problem(item.path, _identity(Path(item.path), root), "is a link that leads nowhere")
        return
    if not leads_back:
        identity = item.path if folder else os.path.splitext(item.path)[0]
        yield _problem(item.path, Path(identity).relative_to(root).as_posix(), _LINK)


def _file_entry(
    item: os.DirEntry[str], beside: _Listing, root: Path, index: Index
) -> ModelEntry | None:
    """What a lone file is; the header is read only when the index does not know the file."""
    stem, suffix = os.path.splitext(item.name)
    if suffix not in (".safetensors", *PICKLES):
        return None
    state = item.stat()
    if not stat.S_ISREG(state.st_mode):
        raise OSError(0, "is a pipe or a device, not a file")
    identity = os.path.relpath(item.path, root)[: -len(suffix)].replace(os.sep, "/")
    meant = _meant_for(identity)

    def entry(fields: dict[str, Any]) -> ModelEntry:
        fields = {
            "family": "",
            "title": identity,
            **fields,
            "words": tuple(fields.get("words", ())),
            "lacks": tuple(fields.get("lacks", ())),
        }
        return ModelEntry(id=identity, bytes=state.st_size, path=item.path, **fields).checked()

    if suffix != ".safetensors":
        return entry(
            {"kind": meant, "problem": _PICKLE.format(suffix, shlex.quote(shown(item.name)))}
        )
    notes = [beside[stem + end].stat() for end in _NOTES if stem + end in beside]
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
        return {"kind": meant, "problem": _unknown(header)}
    notes = read_json(file.with_suffix(".json")) | read_json(file.with_suffix(".civitai.info"))
    trained = notes.get("trainedWords")
    words = notes.get("activation text") or ", ".join(
        str(word) for word in (trained if isinstance(trained, list) else ())
    )
    if words and not fields.get("words"):
        fields["trigger"] = shown(str(words)[:200])
    if notes.get("prediction_type") in ("epsilon", "v_prediction"):
        fields["prediction"] = notes["prediction_type"]
    elif _says_v(file.with_suffix(".yaml")):
        fields["prediction"] = "v_prediction"
    return fields | {"thumbnail": picture_of(file.with_suffix(""))}


def _unknown(header: Mapping[str, Any]) -> str:
    """Why a sound file is no model of any kind."""
    first = next((key for key in header if key != "__metadata__"), "")
    holds = f"its first tensor is called {shorten(shown(first))}" if first else "it holds no tensor"
    return f"is a model of no kind that is known here: {holds}"


def _says_v(config: Path) -> bool:
    """Whether the original config beside a checkpoint (as web UIs keep it) trains on v."""
    text = read_text(config, 2**20)[:20000]
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
