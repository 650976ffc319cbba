"""Homes for the page's benchmark: one with many pictures that were never made, and who serves it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from socket import socket

from PIL import Image, ImageDraw

from studio.bench.history import BATCH, made_up
from studio.errors import StudioError
from studio.history import History, Record
from studio.home import REPOSITORY
from studio.preset import Preset, validate
from studio.share import write_metadata

PATIENCE = 180  # seconds until a page is served
KINDS, EDGE = 20, 512  # pictures that differ, and their edge in pixels
BESIDE = 500  # files in one folder


def fill(home: Path, count: int, tell: Callable[[str], None]) -> None:
    """A history of ``count`` pictures with their files, of which :data:`KINDS` differ: the others are
    further names of those."""
    folder = home / "outputs"
    kinds = [_drawn(home / "kinds" / f"{number}.png", number) for number in range(KINDS)]
    records: list[Record] = []
    history = History(home, folder)
    try:
        for number, record in enumerate(made_up(count)):
            records.append(_placed(record, folder, kinds[number % KINDS], number))
            if len(records) == BATCH or number + 1 == count:
                history.add(*records)
                records = []
                tell(f"{number + 1} of {count} pictures laid out")
    finally:
        history.close()


def _drawn(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.radial_gradient("L").resize((EDGE, EDGE)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for stripe in range(0, EDGE, 32):
        colour = (stripe // 2, 12 * number, 255 - stripe // 2)
        draw.line((stripe, 0, EDGE - stripe, EDGE), fill=colour, width=3 + number % 5)
    made = validate({"rows": [{"prompt": f"a fox, number {number}"}], "sampler": {"seed": number}})
    return write_metadata(image, made, path)


def _placed(record: Record, outputs: Path, kind: Path, number: int) -> Record:
    """The record of a file that is there, so that the page finds nothing to take in or to lose."""
    path = f"{number // BESIDE:03d}/{record.path}"
    file = outputs / path
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(kind, file)
    except OSError:  # a file system without further names
        shutil.copy2(kind, file)
    state = file.stat()
    return replace(record, path=path, bytes=state.st_size, changed=state.st_mtime_ns)


def rows_of(count: int) -> Preset:
    """A preset with so many rows, whose prompts the starter knows in part."""
    rows = [
        {"prompt": f"{record.prompts.splitlines()[0]}, the {number}th", "weight": 1.0}
        for number, record in enumerate(made_up(count))
    ]
    return validate({"name": f"{count} rows", "rows": rows})


@contextmanager
def served(home: Path) -> Iterator[tuple[str, float]]:
    """The page of a home in a process of its own: its address, and the seconds until it answered."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "STUDIO_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    for name in ("SPACE_ID", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "STUDIO_MODELS"):
        environment.pop(name, None)
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "studio", "page", "--port", str(port)],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(process, address)
            yield address, time.perf_counter() - began
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=5):
            return
        time.sleep(0.02)
    raise StudioError("the page does not start", field="--page")
