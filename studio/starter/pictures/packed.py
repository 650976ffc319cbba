"""The drawings as one small file, for a machine that can fetch nothing: ``python -m studio.starter --pack FILE``.

A ZIP of lossless WebP at 256 pixels and the list of what they show, some twenty megabytes. Only drawings with
a name travel, and those that the autoencoder is measured on.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from studio.starter.common import log
from studio.starter.pictures.data import SIZE, Pictures
from studio.starter.pictures.large import EDGE, rasterise_large

LIST = "pictures.json"


def pack(work: Path, file: Path) -> None:
    """Write the work folder's drawings into ``file``."""
    entries, large = Pictures.load(work).entries, rasterise_large(work)
    kept = [row for row, e in enumerate(entries) if e["name"] or "unseen" in e]

    def encoded(row: int) -> bytes:
        buffer = io.BytesIO()
        picture = np.array(large[row])
        picture[picture[..., 3] == 0] = 0  # what nobody sees costs nothing
        Image.fromarray(picture).save(
            buffer, "WEBP", lossless=True, quality=60, method=4, exact=True
        )
        return buffer.getvalue()

    partial = file.with_suffix(".part")
    with ThreadPoolExecutor() as pool, zipfile.ZipFile(partial, "w") as archive:
        for number, data in enumerate(pool.map(encoded, kept)):
            archive.writestr(f"{number}.webp", data)
        archive.writestr(LIST, json.dumps([entries[row] for row in kept]))
    partial.replace(file)
    log(f"pack: {len(kept)} drawings, {file.stat().st_size / 1e6:.1f} MB")


def unpack(file: Path, work: Path) -> None:
    """Stage `data` from a packed file: the drawings at 128 and 256 pixels; what is there is kept."""
    if (work / LIST).exists():
        return
    with zipfile.ZipFile(file) as archive:
        entries = json.loads(archive.read(LIST))
        stored = [archive.read(f"{number}.webp") for number in range(len(entries))]

    def decoded(data: bytes) -> tuple[np.ndarray, np.ndarray]:
        picture = Image.open(io.BytesIO(data)).convert("RGBA")
        small = picture.convert("RGBa").resize((SIZE, SIZE), Image.Resampling.BOX).convert("RGBA")
        return np.asarray(picture), np.asarray(small)

    large = np.empty((len(entries), EDGE, EDGE, 4), np.uint8)
    small = np.empty((len(entries), SIZE, SIZE, 4), np.uint8)
    with ThreadPoolExecutor() as pool:
        for row, (one, half) in enumerate(pool.map(decoded, stored)):
            large[row], small[row] = one, half
    work.mkdir(parents=True, exist_ok=True)
    for name, pixels in (("pictures-256", large), ("pictures", small)):
        np.save(work / f"{name}.part.npy", pixels)
        os.replace(work / f"{name}.part.npy", work / f"{name}.npy")
    (work / LIST).write_text(json.dumps(entries))
    log(f"unpack: {len(entries)} drawings")
