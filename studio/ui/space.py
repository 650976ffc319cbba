"""What differs on a Hugging Face Space: limits, where files go, and the GPU decorator."""

from __future__ import annotations

import atexit
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import listed
from studio.home import inputs_folder
from studio.library import hub
from studio.outputs import DEPTH, outputs_folder
from studio.plan.limits import narrow
from studio.plan.size import DEFAULT_SIZE
from studio.preset import Preset
from studio.preset.sweep import MAX_CELLS
from studio.settings import SETTINGS
from studio.share.embed import check_embedded
from studio.ui.library.models import library
from studio.ui.picture_notes import size_of


@dataclass(frozen=True)
class Limits:
    """The most that one generation may ask for. ``shared``: visitors must not see each other.
    ``local``: only its owner comes to this page, from this machine.

    ``patience``: seconds after which a run that nobody looks at is dropped; ``None``: never.
    ``waiting``: runs that one visitor may have in the queue. ``cells``: of one sweep. ``parts``: of a
    picture that are made again. ``loops``: rounds that one goes through.
    """

    rows: int = 200
    steps: int = 200
    edge: int = 4096
    count: int = 64
    shared: bool = False
    local: bool = True
    patience: float | None = None
    waiting: int = 20
    cells: int = MAX_CELLS
    parts: int = 16
    loops: int = 32

    @property
    def most(self) -> dict[str, int]:
        """The most of each field that is bounded here, by its dotted path; of rows, how many."""
        return {
            "rows": self.rows,
            "sampler.steps": self.steps,
            "sampler.width": self.edge,
            "sampler.height": self.edge,
            "sampler.count": self.count,
            "second_pass.steps": self.steps,
            "detail.most": self.parts,
            "init.loops": self.loops,
        }

    def check(self, preset: Preset) -> None:
        """Refuse what is over a limit.

        Raises:
            StudioError: names the field, what was given and what is allowed here.
        """
        sampler = preset.sampler
        self.check_number("rows", len(preset.rows))
        for name in ("steps", "width", "height", "count"):
            self.check_number(f"sampler.{name}", getattr(sampler, name))
        self.check_number("second_pass.steps", preset.second_pass.steps)
        if preset.detail.on:
            self.check_number("detail.most", preset.detail.most)
        if preset.init:
            self.check_number("init.loops", preset.init.loops)
        self._check_second_pass(preset)
        self._check_start(preset)
        check_embedded(preset)

    def _check_start(self, preset: Preset) -> None:
        """Refuse a result that is larger than this page makes: as large as what it starts from."""
        if preset.init is None or not preset.init.framed:
            return
        width, height = size_of(preset.init.image)
        if max(width, height) > self.edge:
            raise StudioError(
                f"the picture is {width}x{height}; a side has at most {self.edge} pixels on this page",
                field="init.image",
            )

    def _check_second_pass(self, preset: Preset) -> None:
        """Refuse a second pass that makes a larger picture than this page does."""
        scale, known = preset.second_pass.scale, library()
        if not preset.second_pass.on:
            return
        native = (known[preset.base].size if preset.base in known else 0) or DEFAULT_SIZE
        edge = max(preset.sampler.width or native, preset.sampler.height or native)
        if edge * scale > self.edge:
            raise StudioError(
                f"{scale:g} times {edge} is over {self.edge} pixels, the most on this page",
                field="second_pass.scale",
            )

    def check_number(self, field: str, given: Any) -> None:
        """Refuse what a field may not be here; what is no number, another check refuses.

        Raises:
            StudioError: names the field, what was given and what is allowed here.
        """
        allowed = self.most.get(field)
        if allowed is not None and isinstance(given, int | float) and given > allowed:
            raise StudioError(f"at most {allowed} on this page, got {given}", field=field)


SPACE = Limits(
    rows=12,
    steps=50,
    edge=768,
    count=4,
    shared=True,
    local=False,
    patience=120.0,
    waiting=3,
    cells=25,
    parts=4,
    loops=4,
)


# What a shared page keeps of what its visitors made and gave; the oldest goes first.
KEPT_SECONDS, KEPT_BYTES = 24 * 3600, 4 * 2**30
MADE = (".png", ".json", ".jsonl", ".csv")  # the latter three of sweeps
STEP_TERMS = 10_000  # 12 rows of 16 parts over 50 steps


def on_space() -> bool:
    """Whether this process is a Hugging Face Space."""
    return bool(os.environ.get("SPACE_ID"))


def prepare(shared: bool) -> Limits:
    """The limits of this page. A shared page keeps every file in a temporary folder of its
    own, which goes with the process, and fetches nothing for its visitors."""
    if not shared:
        return Limits()
    folder = tempfile.mkdtemp(prefix="guidance-studio-")
    atexit.register(shutil.rmtree, folder, True)
    os.environ["STUDIO_HOME"] = folder
    os.environ.pop(SETTINGS["outputs"].variable, None)  # its owner's pictures lie there
    hub.close()
    narrow(STEP_TERMS)
    return SPACE


def expire(now: float, folders: Sequence[Path] | None = None) -> int:
    """Remove what visitors of a shared page left more than a day ago, and the oldest of it where
    all of it together is more than a host should hold.

    Args:
        now: seconds since the epoch. folders: outputs and inputs by default.

    Returns:
        how many files went.
    """
    found = []
    for folder in folders or (outputs_folder(), inputs_folder()):
        for path in listed(folder, MADE, DEPTH):
            with suppress(OSError):
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
    held, gone = 0, 0
    for modified, size, path in sorted(found, reverse=True):
        held += size
        if now - modified > KEPT_SECONDS or held > KEPT_BYTES:
            with suppress(OSError):
                path.unlink()
                gone += 1
    return gone


def save_folder(limits: Limits, session: str) -> Path:
    """Where a session's images go: the person's outputs, or the visitor's own temporary folder."""
    if not limits.shared:
        return outputs_folder()
    name = "".join(c for c in session if c.isalnum()) or "visitor"
    return outputs_folder() / name


def gpu(duration: Callable[..., int]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``spaces.GPU`` on ZeroGPU; elsewhere the function as it is."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "true"):
        return lambda function: function
    try:
        import spaces
    except ImportError:
        return lambda function: function
    return spaces.GPU(duration=duration)


def seconds_on_gpu(forwards: int, count: int) -> int:
    """Seconds to ask of ZeroGPU for ``forwards`` network evaluations per image."""
    return min(240, 15 + math.ceil(0.08 * forwards * count))
