"""Scenes composed on a device against pasting one by one; what captions say of them; the text tower's layout."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from studio.starter.common import to_float, to_uint8
from studio.starter.pictures import layouts
from studio.starter.pictures.backdrops import EVERY, backdrop
from studio.starter.pictures.contents import CONTENTS, HELD_OUT
from studio.starter.pictures.data import Pictures, compose, compose_pair, place
from studio.starter.pictures.drawings import Drawings, SceneBatch
from studio.starter.pictures.scenes import LONGEST, Scene, Scenes, length, phrase
from studio.starter.pictures.words import SYNONYMS, plural
from studio.starter.stages import text_grounding, tokenizer
from studio.starter.stages.patch_basis import PatchBasis

CPU = torch.device("cpu")
KNOWN = (*CONTENTS[:3], *(c for c in CONTENTS if c.name == "crown"))


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
    there = {(entry["slug"], entry["style"]) for entry in pictures.entries}
    return Drawings(pictures, basis, Scenes(there, KNOWN, ("flat", "noto", "tweet")))


def test_composed_scenes_are_what_pasting_one_by_one_gives(
    drawings: Drawings, pictures: Pictures, basis: PatchBasis
) -> None:
    rng = np.random.default_rng(0)
    scenes = [drawings.scenes.draw(rng, layout) for layout in layouts.NAMES for _ in range(3)]
    assert {scene.layout for scene in scenes} == set(layouts.NAMES)
    wanted = []
    for scene in scenes:
        canvas = backdrop(EVERY[scene.background], 128)
        for number, spot in enumerate(layouts.LAYOUTS[scene.layout]):
            row = scene.rows[number if scene.layout in layouts.DIFFERENT else 0]
            content, style = drawings.scenes.entries[row]
            rgba = pictures.rgba[pictures.row(content.slug, style) or 0]
            canvas = place(canvas, rgba, (spot.x, spot.y), spot.edge)
        wanted.append(canvas)
    batch = SceneBatch.of(scenes)
    found = to_uint8(drawings.pictures(batch))
    assert np.abs(found.astype(int) - np.stack(wanted)).max() <= 2  # one more rounding
    latents = basis.encode(to_float(np.stack(wanted), CPU))
    assert float((drawings.latents(batch) - latents).abs().max()) < 0.1 * float(latents.std())


def test_a_lone_drawing_and_a_pair_stand_where_the_first_edition_had_them(
    drawings: Drawings, pictures: Pictures
) -> None:
    for layout, make in (("single", compose), ("pair", compose_pair)):
        scene = drawings.scenes.draw(np.random.default_rng(4), layout)
        rgba = [pictures.rgba[row] for row in rows_among(drawings, pictures, scene)]
        wanted = make(*rgba, EVERY[scene.background])
        found = to_uint8(drawings.pictures(SceneBatch.of([scene])))[0]
        assert np.abs(found.astype(int) - wanted).max() <= 2


def rows_among(drawings: Drawings, pictures: Pictures, scene: Scene) -> list[int]:
    """The rows of a scene's drawings among the pictures."""
    shown = [drawings.scenes.entries[row] for row in scene.rows]
    return [pictures.row(content.slug, style) or 0 for content, style in shown]


def test_scenes_say_what_they_show(drawings: Drawings) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        scene = drawings.scenes.draw(rng)
        shown = [drawings.scenes.entries[r] for r in scene.rows]
        assert tuple(c.name for c, _ in shown) == scene.names
        assert {style for _, style in shown} == {scene.style}
        assert len(set(scene.names)) == len(scene.names)
        assert length(scene.caption(rng)) <= LONGEST


def test_relations_are_as_the_drawings_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.starter.pictures.scenes.ANOTHER_WORD", 0.0)
    rng = np.random.default_rng(0)
    pair = {phrase("pair", ("moon", "key"), rng, articles=False) for _ in range(60)}
    assert pair == {"moon and key", "moon left of key", "key right of moon"}
    stacked = {phrase("stacked", ("moon", "key"), rng) for _ in range(60)}
    assert {"a moon above a key", "a key below a moon"} <= stacked
    first, second = layouts.LAYOUTS["pair"]
    upper, lower = layouts.LAYOUTS["stacked"]
    assert first.x < second.x and first.y == second.y
    assert upper.y < lower.y and upper.x == lower.x
    assert phrase("wearing", ("skull", "crown"), rng) == "a skull wearing a crown"
    assert phrase("three", ("key",), rng) == "three keys"
    assert phrase("small", ("key",), rng, articles=False) == "small key"
    monkeypatch.setattr("studio.starter.pictures.scenes.another", lambda name, _: "toast")
    assert phrase("two", ("key",), rng) == "two keys", "that word is not counted"
    assert len(layouts.LAYOUTS["three"]) == 3


def test_long_captions_leave_something_out_but_never_the_content() -> None:
    rng = np.random.default_rng(0)
    scene = Scene("pair", (0, 1), ("four leaf clover", "vertical traffic light"), "glossy", 12)
    for _ in range(80):
        text = scene.says((True, True, True), rng)
        assert length(text) <= LONGEST and "clover" in text and "light" in text


def test_a_style_without_drawings_is_never_drawn(drawings: Drawings) -> None:
    assert "tweet" not in drawings.scenes.by_style


def test_blocks_are_squares_of_cells_in_reading_order() -> None:
    latents = torch.arange(2 * 3 * 256).view(2, 3, 16, 16).float()
    cut = text_grounding.blocks(latents)
    assert cut.shape == (2, 16, 48)
    assert torch.equal(cut[1, 6].view(3, 4, 4), latents[1, :, 4:8, 8:12])
    assert torch.equal(text_grounding.unblocked(cut), latents)


def test_captions_of_the_unseen_carry_the_right_labels() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        text, labels = text_grounding.draw_unseen(rng)
        assert len(labels) == len(text_grounding.LABELS)
        for number in filter(None, labels[:2]):
            name = text_grounding.NAMES[number - 1]
            words = {name, *SYNONYMS.get(name, ()), plural(name)}
            assert any(word and word in text for word in words), (name, text)
        style, background, layout = labels[2:]
        assert bool(style) == ("style" in text) and bool(background) == ("background" in text)
        assert not style or f"{text_grounding.ALL_STYLES[style - 1]} style" in text
        assert not background or f"{EVERY[background - 1]} background" in text
        said = layouts.NAMES[layout - 1] if layout else ""
        assert said not in ("two", "three", "small", "large") or said in text.split()
        assert (said == "wearing") == ("wearing" in text)


def test_pictures_of_held_out_contents_are_never_shown_to_the_text_tower() -> None:
    held_out = {c.name for c in HELD_OUT}
    scene = Scene("single", (0,), ("apple",), "flat", 0)
    text, labels = text_grounding.draw_seen(scene, np.random.default_rng(1))
    assert not held_out & set(text.split()) and labels[1] == 0
    assert not held_out & {c.name for c in CONTENTS}


def test_heads_read_a_tower_as_it_is(drawings: Drawings) -> None:
    """Least squares over a tower whose states *are* a linear map of the latents find that map."""
    torch.manual_seed(0)
    heads, wanted = text_grounding.Grounding(24), torch.randn(24, 256) / 5

    def tower(input_ids: torch.Tensor) -> SimpleNamespace:
        cut = text_grounding.blocks(drawings.latents(asked.pop(0)))
        states = torch.zeros(len(cut), 32, 24)
        states[:, -16:] = torch.linalg.lstsq(wanted.T, cut.flatten(0, 1).T).solution.T.view(
            -1, 16, 24
        )
        return SimpleNamespace(last_hidden_state=states)

    rng = np.random.default_rng(2)
    scenes = [drawings.scenes.draw(rng, "single") for _ in range(2000)]
    asked = [SceneBatch.of(scenes[i : i + 250]) for i in range(0, 2000, 250)]
    words = tokenizer.train(f"{c.name} in flat noto style on a background" for c in KNOWN * 9)
    heads.read_as_before(tower, words, drawings)
    states = tower_states(drawings, scenes[:250], wanted)
    best = text_grounding.blocks(drawings.latents(SceneBatch.of(scenes[:250])))
    error = heads.layout(states).sub(best).square().mean()
    assert error < 1.05 * states.matmul(wanted).sub(best).square().mean() + 1e-3


def tower_states(drawings: Drawings, scenes: list[Scene], wanted: torch.Tensor) -> torch.Tensor:
    """States whose image under ``wanted`` is nearest to the scenes' latents."""
    cut = text_grounding.blocks(drawings.latents(SceneBatch.of(scenes)))
    return torch.linalg.lstsq(wanted.T, cut.flatten(0, 1).T).solution.T.view(-1, 16, 24)
