"""What a search on the page is about: the row with a LoRA, and pictures of its subject."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import is_text, read_regular
from studio.home import ASSETS, training_folder
from studio.images import open_checked
from studio.library import ADAPTERS, Library
from studio.preset import ModelRef, Preset
from studio.train.folder import find_pictures, subsets
from studio.ui.editor.stack import uploaded
from studio.ui.library.models import library

MOST = 64
MAX_BYTES = 2**20  # of a training's settings
EXAMPLES = ASSETS / "examples" / "training"
SHIPPED = re.compile(r"starter/lora-(\w+)")
_LOOKS = threading.Lock()  # the page asks again while it waits, and each look decodes pictures


@dataclass(frozen=True)
class Subject:
    """A row with a personalised model: its index, the model's id, and pictures of what it shows."""

    row: int
    model: str
    pictures: tuple[Path, ...] = ()


def subject_of(preset: Preset, given: Sequence[Any] = ()) -> Subject:
    """The first row that takes part and has a LoRA or a fine-tune.

    Args:
        given: pictures of the subject that the page uploaded; else the model's own training
            pictures are taken, where they are on this machine.

    Raises:
        StudioError: no row has such a model, or pictures cannot be read; names all their files,
            not the folders that the server keeps them in.
    """
    models = library()
    for index, row in preset.active_rows():
        name = _model(row.model, models)
        if name:
            if given:
                if len(given) > MOST:
                    raise StudioError(
                        f"at most {MOST} pictures, got {len(given)}",
                        field="pictures of the subject",
                    )
                files = [uploaded(one, "pictures of the subject") for one in given]
                _check(files)
                return Subject(index, name, tuple(files))
            return Subject(index, name, known_pictures(name)[0])
    raise StudioError("no row that takes part has a LoRA or a fine-tune", field="rows")


def _check(files: Sequence[Path]) -> None:
    """All that cannot be read are named at once, so that one chooses anew once."""
    wrong = [why for file in files if (why := _fault(file))]
    if wrong:
        raise StudioError(" · ".join(wrong))


def _fault(file: Path) -> str:
    """Why a picture cannot be read, after its file's name; "" where it can."""
    try:
        _decode(file, file.stat().st_mtime_ns)
    except StudioError as error:
        return str(error)
    except OSError:
        return f"{file.name}: cannot be read"
    return ""


def _model(given: str | ModelRef | None, models: Library) -> str:
    names = [given] if isinstance(given, str) else []
    if isinstance(given, ModelRef):
        names = [given.lora, *(one.lora for one in given.loras), given.model]
    for name in names:
        entry = models.get(name) if name else None
        if entry is not None and entry.kind in (*ADAPTERS, "finetune"):
            return entry.id
    return ""


def known_pictures(model: str) -> tuple[tuple[Path, ...], str]:
    """Pictures that a model was trained on, and whose they are: ``examples`` of the studio, or of the
    model's own ``training``; nothing where they are not here."""
    if shipped := SHIPPED.fullmatch(model):
        return tuple(sorted(EXAMPLES.glob(f"{shipped[1]}-*.png"))), "examples"
    try:
        text = read_regular(training_folder(model) / "settings.json", MAX_BYTES)
        folders, _ = subsets(Path(json.loads(text)["images"]))
        files = (path for subset in folders for path in find_pictures(subset.folder))
        found = [path for path in files if is_text(path.name)]
        with _LOOKS:
            readable = (p for p in found[: 2 * MOST] if _readable(p, p.stat().st_mtime_ns))
            pictures = tuple(islice(readable, MOST))
    except (StudioError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return (), ""
    return pictures, "training" if pictures else ""


@lru_cache(maxsize=1024)
def _readable(path: Path, changed: int) -> bool:
    """Whether a picture can be read, as it was at its last change; the training left others out."""
    try:
        _decode(path, changed)
    except StudioError:
        return False
    return True


@lru_cache(maxsize=1024)
def _decode(path: Path, changed: int) -> None:
    """See that a picture can be read, once as it was at its last change; it is not kept."""
    open_checked(path, path.name)
