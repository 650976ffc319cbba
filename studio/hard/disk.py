"""Writes that fail and writers that are killed: nothing finished is lost, nothing half is listed."""

from __future__ import annotations

import errno
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from studio import files
from studio.errors import StudioError
from studio.hard.attack import ATTACKS, Attack, Fell
from studio.hard.models import GOOD
from studio.hard.mutation import json_text, safetensors_file
from studio.home import models_folder, outputs_folder
from studio.images import store
from studio.library import Library
from studio.outputs import list_outputs
from studio.preset import validate
from studio.preset.saved import list_presets, save_preset
from studio.share import read_image, save_image

_PRESET = validate({"name": "kept", "rows": [{"prompt": "a " * 500}]})


def _picture(number: int) -> Path:
    image = Image.effect_noise((64, 64), 50).convert("RGB")
    return save_image(image, _PRESET.with_seed(number), outputs_folder())


def _saved(number: int) -> Path:
    return save_preset(_PRESET, f"kept {number % 3}")


def _input(number: int) -> Path:
    return Path(os.environ["STUDIO_HOME"]) / store(
        Image.new("RGB", (64, 64), (number % 256, number // 256, 0))
    )


def _index(number: int) -> Path:
    path = models_folder() / f"m{number % 50}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, safetensors_file(json_text(GOOD)))
    if not Library((models_folder(),)).entries():
        raise Fell("the library is empty")
    return path


WRITERS: dict[str, Callable[[int], Path]] = {
    "picture": _picture,
    "preset": _saved,
    "input": _input,
    "index": _index,
}


def _check(finished: list[Path]) -> None:
    """Everything that was finished is there and whole, and nothing half of one is listed."""
    for path in finished:
        if not path.is_file():
            raise Fell(f"{path.name} is lost")
    for path in list_outputs(10_000):
        try:
            name = read_image(path)[0].name
        except StudioError as error:
            raise Fell(str(error)) from error
        if name != "kept":
            raise Fell(f"{path.name} is not what was saved")
    for saved in list_presets():
        if saved.preset is None:
            raise Fell(f"{saved.name}: {saved.problem}")
    if models_folder().is_dir():
        refused = Library((models_folder(),)).refused()
        if refused:
            raise Fell(f"{refused[0].id} {refused[0].problem}")


def killed(random: Random, folder: Path) -> None:
    """A process that saves without pause is killed at a random moment; then all is looked at."""
    writer = WRITERS[random.choice(sorted(WRITERS))]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # saves until it is killed
        try:
            os.close(reading)
            signal.alarm(0)
            for number in range(100_000):
                os.write(writing, f"{writer(number)}\n".encode())
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(random.uniform(0.0, 0.25))
    os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as stream:
        lines = stream.read().decode().split("\n")
    os.waitpid(child, 0)
    _check([Path(line) for line in lines[:-1]])
    try:
        for write in WRITERS.values():  # the next start is clean
            write(100_001)
    except StudioError as error:
        raise Fell(str(error)) from error


_FAULTS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES, errno.ENOENT)


def faults(random: Random, folder: Path) -> None:
    """System calls that fail now and then while all is saved: one line each, and nothing lost."""
    finished: list[Path] = []
    with _Faulty(random):
        for number in range(12):
            try:
                finished.append(WRITERS[random.choice(sorted(WRITERS))](number))
            except StudioError as error:
                if "\n" in str(error):
                    raise Fell("more than one line") from error
    _check(finished)


class _Faulty:
    """The calls by which :mod:`studio.files` writes, of which each may fail."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.kept: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> None:
        for place, name in ((os, "replace"), (os, "link"), (os, "fdopen"), (tempfile, "mkstemp")):
            self.kept.append((place, name, getattr(place, name)))
            setattr(place, name, self._failing(getattr(place, name)))

    def __exit__(self, *error: object) -> None:
        for place, name, original in self.kept:
            setattr(place, name, original)

    def _failing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            mode = options.get("mode", arguments[1] if len(arguments) > 1 else "")
            if mode != "rb" and self.random.random() < 0.2:
                code = self.random.choice(_FAULTS)
                raise OSError(code, os.strerror(code))
            return original(*arguments, **options)

        return call


def full(random: Random, folder: Path) -> None:
    """No file may grow beyond a random size, as on a disk that is full (in a process of its own)."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(0)
            before = [write(n) for n, write in enumerate(WRITERS.values())]
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (random.randrange(3000), resource.RLIM_INFINITY)
            )
            for number in range(8):
                with suppress(StudioError):
                    before.append(WRITERS[random.choice(sorted(WRITERS))](100 + number))
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
            _check(before)
            code = 0
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] != 0:
        raise Fell("something was lost, or more than one line was said")


def small(random: Random, folder: Path) -> None:
    """Saving on, also once the file system is full: ``TMPDIR`` may name a small one."""
    finished: list[Path] = []
    for number in range(120):
        with suppress(StudioError):
            finished.append(WRITERS[random.choice(sorted(WRITERS))](number))
    _check(finished)


ATTACKS.register(
    "killed",
    Attack("kill -9 while saving pictures, presets, inputs, the index", killed, 400, 5.0, 8),
)
ATTACKS.register(
    "faults", Attack("ENOSPC, EIO, EROFS … in the calls that write", faults, 2000, 5.0, 15)
)
ATTACKS.register("full disk", Attack("no file may grow beyond some bytes", full, 400, 10.0, 5))
ATTACKS.register(
    "small disk", Attack("saving until the file system of TMPDIR is full", small, 200, 10.0, 2)
)
