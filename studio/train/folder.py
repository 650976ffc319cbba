"""What lies in a training folder: pictures, kohya's ``10_name`` subfolders, masks, texts beside pictures.

Names are compared in Unicode's composed form (NFC): a disk may spell them in the other one.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError, shorten, some_of
from studio.files import read_regular
from studio.images import KNOWN, SUFFIXES

MASKS = ("-masklabel", ".mask", "-mask", "_mask")  # endings of a mask's stem, the picture's before
TEXTS = (".txt", ".caption")
METADATA = "metadata.jsonl"
MAX_TOML_BYTES = 2**20
MOST_REPEATS = 10_000
SHOWN = 5
_REPEATS = re.compile(r"(\d{1,5})_(.*)")
# Of a subset in sd-scripts' dataset config, what is read here; everything else is named.
_READ = frozenset(
    {
        "image_dir",
        "num_repeats",
        "class_tokens",
        "caption_extension",
        "conditioning_data_dir",
        "metadata_file",
        "alpha_mask",  # as it is here in any case
    }
)


@dataclass(frozen=True)
class Subset:
    """One folder of a data set.

    Attributes:
        repeats: how often its pictures come in an epoch; 0: as its subfolders' names say.
        tokens: the caption of pictures without one (kohya's class tokens), "" for none.
        texts: suffixes of captions beside pictures.
        masks: a folder of masks by the pictures' names.
        metadata: a file of captions.
    """

    folder: Path
    repeats: int = 0
    tokens: str = ""
    texts: tuple[str, ...] = TEXTS
    masks: Path | None = None
    metadata: Path | None = None


def plain(name: str) -> str:
    """A file's name in the form in which names are compared."""
    return unicodedata.normalize("NFC", name)


def find_pictures(folder: Path, only: Iterable[str] | None = None) -> list[Path]:
    """The pictures of ``folder`` and of its subfolders named ``10_name``, without their masks.

    Args:
        only: names to keep: of files, or of paths below the folder.

    Raises:
        MissingFile: no such folder, no picture in it, or a named one is missing.
    """
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise MissingFile(f"{folder} cannot be read ({error.strerror})", field="images") from error
    folders = [p for p in inside if p.is_dir() and not p.name.startswith(".")]
    read = [p for p in folders if _REPEATS.fullmatch(p.name)]
    found = _without_masks([*inside, *(p for sub in read for p in _items(sub))])
    if only is not None:
        found = _named(found, folder, list(dict.fromkeys(map(plain, only))))
    if not found:
        others = [p.name for p in folders if p not in read]
        raise MissingFile(
            f"{folder} holds no picture ({KNOWN}); its subfolders ({few(others)}) are read where "
            "their names begin with the number of repeats, as in 10_hero"
            if others
            else f"{folder} holds no picture ({KNOWN})",
            field="images",
        )
    return found


def _items(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise MissingFile(f"{folder} cannot be read ({error.strerror})", field="images") from error


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _without_masks(paths: Iterable[Path]) -> list[Path]:
    pictures = [path for path in paths if _is_picture(path)]
    stems = {(path.parent, plain(path.stem)) for path in pictures}

    def of_another(path: Path) -> bool:
        stem = plain(path.stem)
        return any(
            stem.endswith(end) and (path.parent, stem.removesuffix(end)) in stems for end in MASKS
        )

    return [path for path in pictures if not of_another(path)]


def _named(found: list[Path], folder: Path, wanted: list[str]) -> list[Path]:
    names = {key: path for path in found for key in keys_of(path, folder)}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise MissingFile(
            f"{few(missing)} of the caption file is not in {folder}", field="captions"
        )
    chosen = {names[name] for name in wanted}
    return [path for path in found if path in chosen]


def keys_of(path: Path, folder: Path | None = None) -> tuple[str, ...]:
    """The names that a caption file may call a picture by: below its folder, and its file's alone."""
    below = [path.name]
    if folder is not None and path.is_relative_to(folder):
        below.insert(0, path.relative_to(folder).as_posix())
    elif _REPEATS.fullmatch(path.parent.name):
        below.insert(0, f"{path.parent.name}/{path.name}")
    return tuple(dict.fromkeys(map(plain, below)))


def repeats_of(path: Path) -> int:
    """How often a picture comes in an epoch: as its folder's name says (``10_hero``), else once."""
    found = _REPEATS.fullmatch(path.parent.name)
    return min(MOST_REPEATS, max(1, int(found[1]))) if found else 1


def tokens_of(path: Path) -> str:
    """The caption that its folder's name is (``10_sks dog``: ``sks dog``), "" where it is none."""
    found = _REPEATS.fullmatch(path.parent.name)
    return " ".join(found[2].split()) if found else ""


class Beside:
    """Files beside pictures, each folder looked at once."""

    def __init__(self) -> None:
        self._known: dict[Path, dict[str, Path]] = {}

    def find(self, folder: Path, names: Iterable[str]) -> Path | None:
        """The first file of ``folder`` that has one of ``names``."""
        if folder not in self._known:
            self._known[folder] = {plain(path.name): path for path in _items(folder)}
        return next(
            (self._known[folder][name] for name in names if name in self._known[folder]), None
        )

    def text(self, path: Path, suffixes: Iterable[str]) -> Path | None:
        """The caption beside a picture."""
        return self.find(path.parent, (plain(path.stem) + suffix for suffix in suffixes))

    def mask(self, path: Path, folder: Path | None) -> Path | None:
        """The mask beside a picture, or of its name in a folder of masks."""
        stem = plain(path.stem)
        if folder is not None:
            return self.find(folder, (f"{stem}{suffix}" for suffix in SUFFIXES))
        return self.find(path.parent, (f"{stem}{end}{s}" for end in MASKS for s in SUFFIXES))


def subsets(images: Path) -> tuple[list[Subset], list[str]]:
    """The folders of a data set: one folder, or those of a dataset config of sd-scripts (TOML).

    Returns:
        the subsets, and notes on settings of the config that are not read.

    Raises:
        MissingFile, StudioError: a config that cannot be read, or without pictures.
    """
    if images.suffix.lower() != ".toml":
        return [Subset(images)], []
    try:
        data = tomllib.loads(read_regular(images, MAX_TOML_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise MissingFile(error.strerror or "cannot be read", field=str(images)) from error
    except (ValueError, RecursionError) as error:
        line = " ".join(str(error).split())[:200]
        raise StudioError(f"is no TOML ({line})", field=str(images)) from error
    found, unread = [], []
    for where, given in _given(data, str(images)):
        if given.get("is_reg"):
            unread.append(f"{where} (pictures of the superclass: give them as --class-images)")
            continue
        unread += [f"{where}.{name}" for name in given if name not in _READ and name != "is_reg"]
        if given.get("alpha_mask") is False:
            unread.append(f"{where}.alpha_mask (transparency weighs the loss unless masks are off)")
        found.append(_subset(given, where, images))
    if not found:
        raise StudioError("names no subset with an image_dir to train on", field=str(images))
    unread += [name for name in _tables(data) if name not in ("general", "datasets")]
    notes = [f"not read from {images.name}: {', '.join(dict.fromkeys(unread))}"] if unread else []
    return found, notes


def _tables(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _given(data: dict[str, Any], field: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each subset with what its data set and the general part say for it."""
    datasets = data.get("datasets", [])
    if not isinstance(datasets, list):
        raise StudioError("datasets must be a list of tables", field=field)
    for number, dataset in enumerate(map(_tables, datasets)):
        outer = _tables(data.get("general")) | {k: v for k, v in dataset.items() if k != "subsets"}
        inner = dataset.get("subsets", [])
        for index, subset in enumerate(inner if isinstance(inner, list) else []):
            yield f"datasets.{number}.subsets.{index}", outer | _tables(subset)


def _subset(given: dict[str, Any], where: str, config: Path) -> Subset:
    def text(name: str) -> str:
        value = given.get(name, "")
        if not isinstance(value, str) or len(value) > 4000:
            raise StudioError(
                f"{where}.{name}: expected text, got {shorten(value)}", field=str(config)
            )
        return value

    def path(name: str) -> Path | None:
        return config.parent / text(name) if text(name) else None

    repeats = given.get("num_repeats", 1)
    if type(repeats) is not int or not 1 <= repeats <= MOST_REPEATS:
        raise StudioError(
            f"{where}.num_repeats: a number from 1 to {MOST_REPEATS}, got {shorten(repeats)}",
            field=str(config),
        )
    folder = path("image_dir")
    if folder is None:
        raise StudioError(f"{where}.image_dir is needed", field=str(config))
    own = text("caption_extension")
    return Subset(
        folder,
        repeats,
        text("class_tokens"),
        (own if own.startswith(".") else f".{own}",) if own else TEXTS,
        path("conditioning_data_dir"),
        path("metadata_file"),
    )


def few(lines: list[str]) -> str:
    """The first of them, and how many more there are."""
    return some_of(lines, SHOWN)
