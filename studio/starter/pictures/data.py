"""Pictures from the icon packages, rasterised once, and composed on coloured backgrounds."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.starter.common import log
from studio.starter.pictures.backdrops import backdrop
from studio.starter.pictures.contents import (
    BACKGROUNDS,
    CONTENTS,
    HELD_OUT,
    HELD_OUT_STYLES,
    LABELS,
    STYLES,
)

SIZE = 128
SINGLE, DOUBLE, CELL = 112, 56, 8  # edges of a lone picture, of one of two, of a latent cell
CELLS = SIZE // CELL
FIRST_EDITION = 218  # contents
EXCLUDED_GROUPS = {"symbols", "flags", "people-body"}


def fetch(spec: str, folder: Path) -> Path:
    """The npm package ``name@version`` as a tarball in ``folder``; packed by npm where it is not there yet."""
    name, _, version = spec.rpartition("@")
    tarball = folder / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not tarball.exists():
        folder.mkdir(parents=True, exist_ok=True)
        log(f"npm pack {spec}")
        subprocess.run(
            ["npm", "pack", spec, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
    return tarball


def read_json(tarball: Path, member: str) -> Any:
    """One JSON file out of a package."""
    with tarfile.open(tarball) as archive:
        handle = archive.extractfile(f"package/{member}")
        if handle is None:
            raise FileNotFoundError(f"{member} in {tarball.name}")
        return json.load(handle)


def render(icons: dict[str, Any], slug: str, size: int = SIZE) -> np.ndarray | None:
    """The icon as RGBA (size, size, 4) uint8, or None where the package has no such name."""
    import resvg_py

    alias = icons.get("aliases", {}).get(slug, {}).get("parent", slug)
    icon = icons["icons"].get(alias)
    if icon is None:
        return None
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    left, top = icon.get("left", 0), icon.get("top", 0)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{size}" height="{size}">{icon["body"]}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size)
    picture = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def common_slugs(tarballs: dict[str, Path], labels: Path) -> set[str]:
    """Everything but signs, flags and people that exists in every style."""
    groups = read_json(labels, "meta/groups.json")["groups"]
    wanted = set()
    for entry in read_json(labels, "en/data.json"):
        if groups.get(str(entry.get("group"))) not in EXCLUDED_GROUPS | {None}:
            wanted.add(
                "-".join("".join(c if c.isalnum() else " " for c in entry["label"].lower()).split())
            )
    for style in STYLES:
        icons = read_json(tarballs[style], "icons.json")
        wanted &= set(icons["icons"]) | set(icons.get("aliases", {}))
    return wanted


def never_seen(common: set[str]) -> set[str]:
    """A twentieth of all slugs, kept from the autoencoder: those of the first edition, which it was trained on."""
    first = {c.slug for c in CONTENTS[:FIRST_EDITION] + HELD_OUT}
    return {slug for i, slug in enumerate(sorted(common | first)) if i % 20 == 7}


def rasterise(work: Path) -> None:
    """Stage `data`: fetch the packages and render every picture into ``pictures.npy`` and ``pictures.json``."""
    if (work / "pictures.json").exists():
        log("data: already there")
        return
    specs = {**STYLES, **HELD_OUT_STYLES}
    tarballs = {style: fetch(spec, work / "npm") for style, spec in specs.items()}
    named = {c.slug: c.name for c in CONTENTS + HELD_OUT}
    common = common_slugs(tarballs, fetch(LABELS, work / "npm"))
    names, unseen = {**dict.fromkeys(sorted(common), ""), **named}, never_seen(common)
    pictures, entries = [], []
    for style, tarball in tarballs.items():
        icons = read_json(tarball, "icons.json")
        for slug, name in names.items():
            picture = render(icons, slug)
            if picture is not None and picture[..., 3].mean() > 5:
                pictures.append(picture)
                entries.append({"slug": slug, "name": name, "style": style})
                entries[-1] |= {"unseen": "yes"} if slug in unseen else {}
        log(f"data: {style}, {len(pictures)} pictures so far")
    np.save(work / "pictures.part.npy", np.stack(pictures))
    (work / "pictures.part.npy").replace(work / "pictures.npy")
    (work / "pictures.part.json").write_text(json.dumps(entries))
    (work / "pictures.part.json").replace(work / "pictures.json")


@dataclass(frozen=True)
class Pictures:
    """Every rendered picture: ``rgba`` (N, 128, 128, 4) and, for each, its slug, caption name and style."""

    rgba: np.ndarray
    entries: list[dict[str, str]]

    @classmethod
    def load(cls, work: Path) -> Pictures:
        """Open what `rasterise` wrote (memory-mapped)."""
        return cls(
            np.load(work / "pictures.npy", mmap_mode="r"),
            json.loads((work / "pictures.json").read_text()),
        )

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        return {(e["slug"], e["style"]): i for i, e in enumerate(self.entries)}

    def row(self, slug: str, style: str) -> int | None:
        """The picture's number, or None where this style has no such content."""
        return self._rows.get((slug, style))


def place(
    canvas: np.ndarray, rgba: np.ndarray, centre: tuple[float, float], size: int
) -> np.ndarray:
    """Paste ``rgba`` at ``size`` pixels, centred at (x, y), over the RGB canvas; both uint8."""
    picture = Image.fromarray(np.asarray(rgba)).convert("RGBa")
    if size != picture.width:
        picture = picture.resize(
            (size, size),
            Image.Resampling.BOX if size * 2 == picture.width else Image.Resampling.BICUBIC,
        )
    x, y = round(centre[0] - size / 2), round(centre[1] - size / 2)
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(canvas.shape[1], x + size), min(canvas.shape[0], y + size)
    part = np.asarray(picture)[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32)
    under = canvas[y0:y1, x0:x1].astype(np.float32)
    result = canvas.copy()
    result[y0:y1, x0:x1] = np.clip(
        part[..., :3] + under * (1 - part[..., 3:] / 255) + 0.5, 0, 255
    ).astype(np.uint8)
    return result


def compose(
    rgba: np.ndarray,
    background: str,
    rng: np.random.Generator | None = None,
    free: bool = False,
) -> np.ndarray:
    """One picture on a background: (128, 128, 3) uint8.

    With ``rng`` it is moved, by whole latent cells of 8 pixels: then a content's latents are the same
    up to a shift, which a small network learns many times sooner than every sub-cell position.
    ``free`` moves and scales it by any amount instead, for networks that look at pixels.
    """
    size, x, y = SINGLE, SIZE / 2, SIZE / 2
    if rng is not None and free:
        size = int(rng.integers(104, 121))
        x, y = SIZE / 2 + rng.uniform(-4, 4), SIZE / 2 + rng.uniform(-4, 4)
    elif rng is not None:
        x, y = SIZE / 2 + CELL * rng.choice(3, 2, p=(0.2, 0.6, 0.2)) - CELL
    return place(backdrop(background, SIZE), rgba, (x, y), size)


def compose_pair(
    left: np.ndarray,
    right: np.ndarray,
    background: str,
    rng: np.random.Generator | None = None,
    free: bool = False,
) -> np.ndarray:
    """Two pictures side by side: (128, 128, 3) uint8; moved up or down as in `compose`."""
    size, y = DOUBLE, SIZE / 2
    if rng is not None and free:
        size, y = int(rng.integers(53, 62)), SIZE / 2 + rng.uniform(-6, 6)
    elif rng is not None:
        y += CELL * (int(rng.choice(3, p=(0.2, 0.6, 0.2))) - 1)
    canvas = place(backdrop(background, SIZE), left, (SIZE / 4, y), size)
    return place(canvas, right, (3 * SIZE / 4, y), size)


def split_rows(pictures: Pictures) -> tuple[list[int], list[int]]:
    """Rows to train on, and rows of a twentieth of all slugs that the autoencoder never sees."""
    seen = [i for i, entry in enumerate(pictures.entries) if "unseen" not in entry]
    return seen, [i for i, entry in enumerate(pictures.entries) if "unseen" in entry]


def make_pool(
    pictures: Pictures, rows: list[int], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Training pictures (count, 128, 128, 3) uint8: singles, a fifth pairs, a few plain colours."""
    names = list(BACKGROUNDS)
    pool = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for i in range(count):
        kind, background = rng.random(), names[rng.integers(len(names))]
        first, second = (
            pictures.rgba[rows[rng.integers(len(rows))]],
            pictures.rgba[rows[rng.integers(len(rows))]],
        )
        if kind < 0.04:
            pool[i] = backdrop(background, SIZE)
        elif kind < 0.07:
            pool[i] = rng.integers(0, 256, 3, dtype=np.uint8)
        elif kind < 0.25:
            pool[i] = compose_pair(first, second, background, rng, free=True)
        else:
            pool[i] = compose(first, background, rng, free=True)
    return pool
