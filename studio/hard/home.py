"""The home goes away, cannot be written to, or its clock is set back, while pictures are made."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from PIL import Image

from studio.errors import StudioError
from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.stream import stream
from studio.hard.writers import check, write_all
from studio.home import models_folder, studio_home
from studio.library import Library
from studio.outputs import list_outputs
from studio.preset import Preset, validate
from studio.preset.saved import list_presets, save_preset
from studio.share import read_image, save_image
from studio.ui.hashing import THREAD as HASHES
from studio.ui.runs import Runs
from studio.ui.session import Run
from studio.ui.space import Limits

_PRESET = validate({"name": "kept", "rows": [{"prompt": "7"}], "sampler": {"count": 4, "seed": 1}})


def _ended(run: Run) -> None:
    while run.active():
        run.session.looked = time.monotonic()
        time.sleep(0.002)
    for thread in threading.enumerate():  # what goes on after a run would write into another's home
        if thread.name == HASHES:
            thread.join()


def _made(runs: Runs, draw: Random) -> Run:
    run = runs.submit(runs.session(f"s{draw.randrange(3)}"), _PRESET)
    _ended(run)
    return run


def _whole(run: Run) -> None:
    """A run that ended well: all its pictures are somewhere, and can be read."""
    if run.state != "done" or len(run.moments) != 4:
        raise Fell(f"{run.state}: {run.error or len(run.moments)}")
    for moment in run.moments:
        if read_image(Path(moment.path))[0].name != "kept":
            raise Fell("a picture is not what was made")


def _page_goes_on() -> None:
    """What a page shows, whatever became of the home."""
    list_outputs()
    list_presets()
    Library((models_folder(),)).refused()
    try:
        save_preset(_PRESET, "mine")
    except StudioError as error:
        if "\n" in str(error):
            raise Fell("more than one line") from error


def vanished(draw: Draw, folder: Path) -> None:
    """The home is deleted, or a file stands in its place, in the middle of a run."""
    home = studio_home()
    home.mkdir()
    kept = folder / "temporary"
    kept.mkdir()
    with mock.patch.object(tempfile, "tempdir", str(kept)):
        runs = Runs(_interrupted(draw, home), Limits())
        for _ in range(3):
            _whole(_made(runs, draw))
            _page_goes_on()
    if home.is_file():
        home.unlink()
    write_all(7)
    check([])


def _interrupted(draw: Random, home: Path) -> Any:
    """A stream in whose course the home goes away."""

    def events(preset: Preset) -> Iterator[Any]:
        moment = draw.randrange(9)  # before the first picture: what is deleted later is gone
        for number, event in enumerate(stream(preset)):
            if number == moment:
                home.unlink() if home.is_file() else shutil.rmtree(home, ignore_errors=True)
                if draw.random() < 0.5:
                    home.write_text("in the way")
            yield event

    return events


@contextmanager
def _read_only(home: Path) -> Iterator[None]:
    """No file below ``home`` can be made, moved or removed: for a superuser, modes mean nothing."""

    def refusing(original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            named = [*arguments, *options.values()]
            if any(isinstance(a, str | Path) and str(a).startswith(str(home)) for a in named):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            return original(*arguments, **options)

        return call

    calls = ((tempfile, "mkstemp"), (os, "mkdir"), (os, "replace"), (os, "link"), (os, "unlink"))
    patches = [mock.patch.object(p, name, refusing(getattr(p, name))) for p, name in calls]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def read_only(draw: Draw, folder: Path) -> None:
    """After some good runs nothing in the home can be written any more; then it can again."""
    runs, kept = Runs(stream, Limits()), folder / "temporary"
    kept.mkdir()
    before = [moment.path for moment in _made(runs, draw).moments]
    with mock.patch.object(tempfile, "tempdir", str(kept)), _read_only(studio_home()):
        run = _made(runs, draw)
        _whole(run)
        if "kept as" not in run.problem:
            raise Fell(f"nobody says where the pictures are: {run.problem}")
        _page_goes_on()
    after = [moment.path for moment in _made(runs, draw).moments]
    check([Path(path) for path in (*before, *after)])


def clock(draw: Draw, folder: Path) -> None:
    """The clock is set back and forth while pictures, presets and models are saved and listed."""
    from studio.share import write

    finished: list[Path] = []
    now = [time.time()]

    class Shown(write.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(now[0], tz)

    with (
        mock.patch.object(write, "datetime", Shown),
        mock.patch.object(time, "time", lambda: now[0]),
    ):
        for number in range(10):
            if draw.random() < 0.6:
                now[0] += draw.choice((-1, 1)) * draw.choice((0.0, 1.0, 3600.0, 86400.0 * 400))
            write_all(number)
            image = Image.new("RGB", (16, 16), (number, 0, 0))
            finished.append(save_image(image, _PRESET, studio_home() / "outputs"))
            os.utime(finished[-1], (now[0], now[0]))
            for model in models_folder().glob("*.safetensors"):
                then = now[0] - draw.randrange(10**8)
                os.utime(model, (then, then))
    if len(set(finished)) != len(finished):
        raise Fell("two pictures have one name")
    check(finished)


ATTACKS.register(
    "vanished home", Attack("the home goes away while pictures are made", vanished, 200, 10.0, 3)
)
ATTACKS.register(
    "read-only home", Attack("nothing in the home can be written", read_only, 200, 10.0, 3)
)
ATTACKS.register(
    "clock", Attack("the clock is set back and forth between saves", clock, 200, 10.0, 3)
)
