"""Stage `realism`: how far drawn pictures are from the drawings that they should be, beside the first edition's.

The same prompts, whose contents both editions know, are drawn by both priors and looked up among the real
drawings. FID and KID are the metrics' own, under the starter's CLIP: `python -m studio evaluate` says the same.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image

from studio.metrics.backbones import STARTER_CLIP, Backbones
from studio.metrics.scores import frechet, kernel_distance
from studio.starter.common import log, write_json
from studio.starter.pictures.backdrops import EVERY
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, STYLES
from studio.starter.pictures.data import SIZE, Pictures, compose
from studio.starter.shipped import FINE
from studio.starter.stages.measure import Wish, draw_wishes, generate
from studio.starter.stages.prior import Texts

EDITIONS = {"first_edition": "starter-1", "second_edition": "starter"}


def measure(
    work: Path, assets: Path, count: int, scale: float = 2.0, device: torch.device | None = None
) -> dict[str, Any]:
    """FID and KID of ``count`` pictures of either edition against the drawings they were asked for.

    Returns:
        what is kept in ``figures/realism.json``.
    """
    device = device or torch.device("cpu")
    wishes = shared_wishes(assets, count)
    fine: Any = AutoencoderKL.from_pretrained(work / FINE)
    fine, sets = fine.eval().to(device), {"real": real(work, wishes)}
    for edition, folder in EDITIONS.items():
        source = work if folder == "starter" else assets / folder
        unet: Any = UNet2DConditionModel.from_pretrained(source / "unet")
        pictures = generate(
            unet.float().eval().to(device), fine, Texts(source, device), wishes, scale
        )
        sets[edition] = np.stack(
            [
                np.asarray(Image.fromarray(p).resize((SIZE, SIZE), Image.Resampling.BOX))
                for p in pictures
            ]
        )
        log(f"realism: {len(pictures)} pictures of {folder}")
    found = features(sets)
    figures: dict[str, Any] = {"prompts": len(wishes), "scale": scale}
    for edition in EDITIONS:
        figures[edition] = {
            "fid": round(frechet(found[edition], found["real"]), 4),
            "kid": round(kernel_distance(found[edition], found["real"]), 5),
        }
    write_json(figures, work / "figures" / "realism.json")
    log(f"realism: {figures}")
    return figures


def shared_wishes(assets: Path, count: int) -> list[Wish]:
    """Prompts on plain backgrounds of contents that the first edition's text encoder was taught."""
    known = known_to_the_first(assets)
    plain = [w for w in draw_wishes(8 * count) if w.background < len(BACKGROUNDS)]
    return [w for w in plain if CONTENTS[w.content].name in known][:count]


def known_to_the_first(assets: Path) -> set[str]:
    """The contents of the first edition's vocabulary."""
    text = (assets / "starter-1" / "vocabulary.json").read_text(encoding="utf-8")
    return {phrase for group in json.loads(text)["groups"] for phrase in group["phrases"]}


def real(work: Path, wishes: list[Wish]) -> np.ndarray:
    """The drawings that the wishes name, (N, 128, 128, 3) uint8."""
    pictures, styles = Pictures.load(work), list(STYLES)
    return np.stack(
        [
            compose(
                pictures.rgba[pictures.row(CONTENTS[w.content].slug, styles[w.style]) or 0],
                EVERY[w.background],
            )
            for w in wishes
        ]
    )


def features(sets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Features of each set's pictures under the starter's CLIP."""
    backbones, found = Backbones(keep=False), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, pictures in sets.items():
            paths = [Path(folder) / f"{name}-{i}.png" for i in range(len(pictures))]
            for path, picture in zip(paths, pictures, strict=True):
                Image.fromarray(picture).save(path, compress_level=1)
            found[name] = backbones.pictures(STARTER_CLIP, paths)
    return found
