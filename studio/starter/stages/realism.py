"""Stage `realism`: how far drawn pictures are from the drawings that they should be, beside the first edition's.

Prompts whose contents both editions know are drawn by both priors. The real drawings are of other prompts of the
same kind: where a real drawing answers each made one, the sets depend on each other, and an unbiased distance
between them falls below zero. FID and KID are the metrics' own (`python -m studio evaluate`), under the CLIP that
ships, which was trained on real drawings alone.
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
from studio.starter.pictures.data import Pictures, compose
from studio.starter.stages.measure import Wish, draw_wishes, generate
from studio.starter.stages.prior import Texts

FIRST_SCALE = 4.5  # what `measure` chose for the first edition
EDITIONS = {"first_edition": "starter-1", "this_edition": "starter"}


def measure(
    work: Path, assets: Path, count: int, device: torch.device | None = None
) -> dict[str, Any]:
    """FID and KID of ``count`` pictures of either edition against as many real drawings.

    Returns:
        what is kept in ``figures/realism.json``.
    """
    device = device or torch.device("cpu")
    both = shared_wishes(assets, 2 * count)
    wishes, others = both[:count], both[count:]
    vae: Any = AutoencoderKL.from_pretrained(
        work / "vae"
    )  # both editions', taught by neither prior
    vae, sets = vae.eval().to(device), {"real": real(work, others)}
    scales = {"first_edition": FIRST_SCALE, "this_edition": best_scale(work)}
    for edition, folder in EDITIONS.items():
        source = work if folder == "starter" else assets / folder
        unet: Any = UNet2DConditionModel.from_pretrained(source / "unet")
        unet = unet.float().eval().to(device)
        sets[edition] = generate(unet, vae, Texts(source, device), wishes, scales[edition])
        log(f"realism: {len(wishes)} pictures of {folder}")
    found = features(sets)
    figures: dict[str, Any] = {"prompts": len(wishes), "scales": scales}
    for edition in EDITIONS:
        figures[edition] = {
            "fid": round(frechet(found[edition], found["real"]), 4),
            "kid": round(kernel_distance(found[edition], found["real"]), 5),
        }
    write_json(figures, work / "figures" / "realism.json")
    log(f"realism: {figures}")
    return figures


def best_scale(work: Path) -> float:
    """The guidance scale that `measure` chose for the prior."""
    return json.loads((work / "figures" / "measure.json").read_text(encoding="utf-8"))["scale"]


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
                pictures.rgba[_row(pictures, CONTENTS[w.content].slug, styles[w.style])],
                EVERY[w.background],
            )
            for w in wishes
        ]
    )


def _row(pictures: Pictures, slug: str, style: str) -> int:
    row = pictures.row(slug, style)
    assert row is not None, (
        f"there is no drawing of {slug} in {style}"
    )  # contents exist in all four
    return row


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
