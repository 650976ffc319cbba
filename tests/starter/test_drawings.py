"""The recipe's shortcut, latents as sums of parts, against encoding the composed picture; the text tower's layout."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from studio.starter.common import to_float
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, HELD_OUT
from studio.starter.pictures.data import Pictures, compose, compose_pair
from studio.starter.pictures.drawings import PLACEMENTS, Drawings, Scene
from studio.starter.stages import text_grounding
from studio.starter.stages.patch_basis import PatchBasis

CPU = torch.device("cpu")
KNOWN = CONTENTS[:3]


def soft_blobs(rng: np.random.Generator, count: int) -> np.ndarray:
    """Premultiplied-safe RGBA pictures: smooth colours under a smooth coverage."""
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    pictures = np.zeros((count, 128, 128, 4), np.uint8)
    for picture in pictures:
        centre, width = rng.uniform(-0.3, 0.3, 2), rng.uniform(0.2, 0.6)
        coverage = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / width**2)
        picture[..., :3] = rng.integers(0, 256, 3)
        picture[..., 3] = 255 * coverage
    return pictures


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    rng = np.random.default_rng(3)
    entries = [
        {"slug": c.slug, "name": c.name, "style": style}
        for c in KNOWN
        for style in ("flat", "noto")
    ]
    return Pictures(soft_blobs(rng, len(entries)), entries)


@pytest.fixture(scope="module")
def basis() -> PatchBasis:
    return PatchBasis.fit(torch.rand(6, 3, 128, 128, generator=torch.Generator().manual_seed(0)))


@pytest.fixture(scope="module")
def drawings(pictures: Pictures, basis: PatchBasis) -> Drawings:
    return Drawings(pictures, basis, KNOWN, ("flat", "noto", "tweet"), PLACEMENTS)


def test_sums_of_parts_are_the_latents_of_the_composed_picture(
    drawings: Drawings, pictures: Pictures, basis: PatchBasis
) -> None:
    scenes = [drawings.draw(np.random.default_rng(i), paired=0.5) for i in range(12)]
    assert {len(s.rows) for s in scenes} == {1, 2}
    composed = []
    for scene in scenes:
        rgba = [pictures.rgba[r] for r in scene.rows]
        make = compose if len(rgba) == 1 else compose_pair
        composed.append(make(*rgba, list(BACKGROUNDS)[scene.background]))
    wanted = basis.encode(to_float(np.stack(composed), CPU))
    # 8-bit rounding of the composed picture and half precision of the parts
    assert float((drawings.latents(scenes) - wanted).abs().max()) < 0.03 * float(wanted.std())


def test_scenes_say_what_they_show(drawings: Drawings) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        scene = drawings.draw(rng)
        shown = [drawings.entries[r] for r in scene.rows]
        assert tuple(c.name for c, _ in shown) == scene.names
        assert {style for _, style in shown} == {scene.style}
        assert len(set(scene.names)) == len(scene.names)


def test_a_style_without_drawings_is_never_drawn(drawings: Drawings) -> None:
    assert "tweet" not in drawings.by_style


def test_blocks_are_squares_of_cells_in_reading_order() -> None:
    latents = torch.arange(2 * 3 * 256).view(2, 3, 16, 16).float()
    cut = text_grounding.blocks(latents)
    assert cut.shape == (2, 16, 48)
    assert torch.equal(cut[1, 6].view(3, 4, 4), latents[1, :, 4:8, 8:12])


def test_captions_of_the_unseen_carry_the_right_labels() -> None:
    rng = np.random.default_rng(0)
    for _ in range(80):
        text, labels = text_grounding.draw_unseen(rng)
        for number in labels[:2]:
            assert number == 0 or text_grounding.NAMES[number - 1] in text
        assert labels[2] == 0 or f"{text_grounding.ALL_STYLES[labels[2] - 1]} style" in text
        assert labels[3] == 0 or f"{list(BACKGROUNDS)[labels[3] - 1]} background" in text


def test_pictures_of_held_out_contents_are_never_shown_to_the_text_tower() -> None:
    held_out = {c.name for c in HELD_OUT}
    scene = Scene((0,), ("apple",), "flat", 0)
    text, labels = text_grounding.draw_seen(scene, np.random.default_rng(1))
    assert not held_out & set(text.split()) and labels[1] == 0
    assert not held_out & {c.name for c in CONTENTS}
