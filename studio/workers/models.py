"""Which models a job needs, and what each is known by, so that no worker takes another for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.errors import MissingModel, StudioError
from studio.library import Library, ModelEntry
from studio.library.model_files import TEXTS, files_of
from studio.plan import Plan
from studio.plan.passes import Pass
from studio.preset import Preset

SAMPLES, SAMPLE_BYTES = 16, 2**16  # of a file of weights, evenly from its end to its beginning
MOST_TEXT = 16 * 2**20


def named_models(preset: Preset, plan: Plan, library: Library) -> dict[str, ModelEntry]:
    """Every model that a preset's passes, words, control images and decoding need, by its id."""
    names = {preset.base, *(name for _, name in preset.beside_rows())}
    for item in (item for one in plan.with_later() for item in one.passes):
        names |= item.weights.names() | set(_beside(item, preset, library))
    return {name: library[name] for name in sorted(names)}


def _beside(item: Pass, preset: Preset, library: Library) -> Iterator[str]:
    """What a pass needs besides its weights."""
    condition = item.condition
    yield from condition.words
    yield from (name for name, _ in condition.blank)
    if condition.image_prompt is not None:
        yield condition.image_prompt.model
    for control in condition.controls:
        yield control.model or library.controlnet(preset.base, control.type).id


def networks_of(plan: Plan) -> frozenset[str]:
    """What a worker has in memory once it has run a plan: full networks, blends and adapters."""
    found = set[str]()
    for item in (item for one in plan.with_later() for item in one.passes):
        found |= {str(item.weights), *item.weights.names()}
    return frozenset(found)


def identity(entry: ModelEntry, far: bool) -> str:
    """What a model is known by; "" for one that is not on this machine yet (a hub's id).

    Args:
        far: by what its files hold, so that copies on two machines are one model: headers, sizes
            and samples of the weights. Else by sizes and times, which say more of one disk's files.

    Raises:
        MissingModel: its files have gone.
    """
    if not entry.path:
        return ""
    top, digest = Path(entry.path), hashlib.sha256()
    try:
        for file in files_of(top):
            name = file.relative_to(top).as_posix() if file != top else "file"
            digest.update(f"{name}\n".encode(errors="surrogateescape"))
            for part in _content(file) if far else _state(file):
                digest.update(part)
    except OSError as error:
        raise MissingModel(f"{entry.id!r} cannot be read ({error.strerror})") from error
    return digest.hexdigest()[:16]


def _state(file: Path) -> Iterator[bytes]:
    state = file.stat()
    yield f"{state.st_size} {state.st_mtime_ns}\n".encode()


def _content(file: Path) -> Iterator[bytes]:
    size = file.stat().st_size
    yield f"{size}\n".encode()
    if file.suffix in TEXTS:
        if size <= MOST_TEXT:
            yield file.read_bytes()
        return
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        yield opened.read(min(length, MOST_TEXT))
        for number in range(SAMPLES):
            opened.seek(max(0, size - SAMPLE_BYTES) * (SAMPLES - number) // SAMPLES)
            yield opened.read(SAMPLE_BYTES)


def lacking(wanted: Mapping[str, str], library: Library, far: bool) -> dict[str, str]:
    """Of each model that is not here, or is another one here: its id and what is so.

    Args:
        wanted: id → :func:`identity` where the job was made.
    """
    found = {}
    for name, known in wanted.items():
        if not known:
            continue
        try:
            mine = identity(library[name], far)
        except StudioError:
            mine = ""
        if mine != known:
            what = "has another model named" if mine else "lacks the model"
            found[name] = f"{what} {name!r}"
    return found
