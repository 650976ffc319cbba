"""ComfyUI's sums of predictions against a plain loop over its own averages, place by place.

The loop below is what ``calc_cond_batch`` and the guiders compute, with a made-up prediction for
every text; the preset's side is the studio's ``ε_0 + Σ w·mask·(ε_row − ε_0)``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio import images
from studio.preset import Preset
from tests.support.other_tools import comfy, encode, graph, node, read, rows, sampler

HIGH, WIDE = 12, 8  # latent cells of 64x96 pixels
TEXTS = ("", "a cat", "bad", "a sky", "a sea")
EPS = {text: np.random.default_rng(i).normal(size=(HIGH, WIDE)) for i, text in enumerate(TEXTS)}
STEPS = 20


def of_preset(preset: Preset, now: float) -> np.ndarray:
    """The studio's sum at one step."""
    total = EPS[""].copy()
    for row in preset.rows:
        start, end = row.range
        if start <= now and (now < end or end == 1.0):
            mask: Any = 1.0
            if row.mask:
                image = images.resolve(row.mask).convert("L").resize((WIDE, HIGH), 0)
                mask = np.asarray(image) / 255
            total += row.weight * mask * (EPS[row.prompt] - EPS[""])
    return total


Entry = tuple[str, float, tuple[int, int, int, int] | None, tuple[float, float]]


def average(entries: list[Entry], now: float) -> np.ndarray:
    """ComfyUI's average over the entries of one conditioning that act at a step."""
    out, counts = np.zeros((HIGH, WIDE)), np.full((HIGH, WIDE), 1e-37)
    for text, strength, area, (start, end) in entries:
        if not (start <= now and (now < end or end == 1.0)):
            continue
        mult = np.zeros((HIGH, WIDE))
        x, y, width, height = area or (0, 0, WIDE, HIGH)
        mult[y : y + height, x : x + width] = strength
        out += EPS[text] * mult
        counts += mult
    return out / counts


def check(folder: Path, nodes: dict[str, Any], expected: Callable[[float], np.ndarray]) -> str:
    preset, notes = read(comfy(folder, nodes))
    for step in range(STEPS):
        now = step / STEPS
        np.testing.assert_allclose(of_preset(preset, now), expected(now), atol=0.05)
    return notes


def whole(text: str, strength: float = 1.0) -> Entry:
    return text, strength, None, (0.0, 1.0)


def cfg(
    positive: list[Entry], negative: list[Entry], scale: float = 7.0
) -> Callable[[float], np.ndarray]:
    def at(now: float) -> np.ndarray:
        base = average(negative, now)
        return base + scale * (average(positive, now) - base)

    return at


def combine(first: str, second: str) -> dict[str, Any]:
    return node("ConditioningCombine", conditioning_1=[first, 0], conditioning_2=[second, 0])


def test_combined_texts_share_the_weight(studio_home: Path, tmp_path: Path) -> None:
    nodes = graph(n3=sampler(positive=["9", 0]), n8=encode("a sky"), n9=combine("6", "8"))
    check(tmp_path, nodes, cfg([whole("a cat"), whole("a sky")], [whole("bad")]))
    preset, _ = read(comfy(tmp_path, nodes))
    assert rows(preset) == [("a cat", 3.5), ("a sky", 3.5), ("bad", -6.0)]


def test_strengths_are_relative(studio_home: Path, tmp_path: Path) -> None:
    strong = node("ConditioningSetAreaStrength", conditioning=["6", 0], strength=3.0)
    nodes = graph(
        n3=sampler(positive=["9", 0]), n8=encode("a sky"), n9=combine("10", "8"), n10=strong
    )
    check(tmp_path, nodes, cfg([whole("a cat", 3.0), whole("a sky")], [whole("bad")]))


def test_an_empty_text_among_others_takes_its_share(studio_home: Path, tmp_path: Path) -> None:
    nodes = graph(n3=sampler(positive=["9", 0]), n8=encode(""), n9=combine("6", "8"))
    check(tmp_path, nodes, cfg([whole("a cat"), whole("")], [whole("bad")]))


@pytest.mark.parametrize("percent", [False, True])
def test_areas_are_masks(studio_home: Path, tmp_path: Path, percent: bool) -> None:
    def area(
        source: str, x: int, y: int, width: int, height: int, strength: float
    ) -> dict[str, Any]:
        unit = {"x": x * 8, "y": y * 8, "width": width * 8, "height": height * 8}
        kind = "ConditioningSetArea"
        if percent:
            kind += "Percentage"
            unit = {"x": x / WIDE, "y": y / HIGH, "width": width / WIDE, "height": height / HIGH}
        return node(kind, conditioning=[source, 0], strength=strength, **unit)

    nodes = graph(
        n3=sampler(positive=["22", 0], cfg=2.0),
        n8=encode("a sky"),
        n9=encode("a sea"),
        n20=area("6", 0, 0, 8, 6, 1.0),
        n21=area("8", 2, 4, 6, 8, 0.5),
        n22=combine("23", "9"),
        n23=combine("20", "21"),
    )
    entries: list[Entry] = [
        ("a cat", 1.0, (0, 0, 8, 6), (0.0, 1.0)),
        ("a sky", 0.5, (2, 4, 6, 8), (0.0, 1.0)),
        whole("a sea"),
    ]
    notes = check(tmp_path, nodes, cfg(entries, [whole("bad")], 2.0))
    assert "the network there sees the area alone" in notes


def test_places_in_no_area_are_named(studio_home: Path, tmp_path: Path) -> None:
    area = node(
        "ConditioningSetArea", conditioning=["6", 0], x=0, y=0, width=32, height=32, strength=1.0
    )
    _, notes = read(comfy(tmp_path, graph(n3=sampler(positive=["8", 0]), n8=area)))
    assert "parts of the picture are in no area" in notes


def timed(source: str, start: float, end: float) -> dict[str, Any]:
    return node("ConditioningSetTimestepRange", conditioning=[source, 0], start=start, end=end)


def test_ranges_and_what_they_leave_to_others(studio_home: Path, tmp_path: Path) -> None:
    nodes = graph(
        n3=sampler(positive=["22", 0]),
        n8=encode("a sky"),
        n9=encode("a sea"),
        n20=timed("6", 0.0, 0.5),
        n21=timed("8", 0.25, 1.0),
        n22=combine("23", "9"),
        n23=combine("20", "21"),
    )
    entries: list[Entry] = [
        ("a cat", 1.0, None, (0.0, 0.5)),
        ("a sky", 1.0, None, (0.25, 1.0)),
        whole("a sea"),
    ]
    check(tmp_path, nodes, cfg(entries, [whole("bad")]))


def test_steps_without_a_text_are_named(studio_home: Path, tmp_path: Path) -> None:
    nodes = graph(n3=sampler(positive=["8", 0]), n8=timed("6", 0.2, 0.8))
    preset, notes = read(comfy(tmp_path, nodes))
    assert preset.rows[0].range == (0.2, 0.8)
    assert "no condition acts in 0-0.2, 0.8-1 of the steps" in notes


def test_an_average_of_encodings_becomes_one_of_predictions(
    studio_home: Path, tmp_path: Path
) -> None:
    mixed = node(
        "ConditioningAverage",
        conditioning_to=["6", 0],
        conditioning_from=["8", 0],
        conditioning_to_strength=0.25,
    )
    nodes = graph(n3=sampler(positive=["9", 0]), n8=encode("a sky"), n9=mixed)

    def expected(now: float) -> np.ndarray:
        text = 0.25 * EPS["a cat"] + 0.75 * EPS["a sky"]
        return EPS["bad"] + 7 * (text - EPS["bad"])

    assert "here the predictions are mixed" in check(tmp_path, nodes, expected)


@pytest.mark.parametrize("style", ["regular", "nested"])
def test_two_scales(studio_home: Path, tmp_path: Path, style: str) -> None:
    guider = node(
        "DualCFGGuider",
        model=["4", 0],
        cond1=["6", 0],
        cond2=["8", 0],
        negative=["7", 0],
        cfg_conds=3.0,
        cfg_cond2_negative=2.0,
        style=style,
    )
    nodes = graph(
        n3=node(
            "SamplerCustomAdvanced",
            noise=["22", 0],
            guider=["23", 0],
            sampler=["20", 0],
            sigmas=["21", 0],
            latent_image=["5", 0],
        ),
        n8=encode("a sky"),
        n20=node("KSamplerSelect", sampler_name="euler"),
        n21=node("BasicScheduler", scheduler="normal", steps=STEPS, denoise=1.0, model=["4", 0]),
        n22=node("RandomNoise", noise_seed=5),
        n23=guider,
    )

    def expected(now: float) -> np.ndarray:
        negative, middle, positive = EPS["bad"], EPS["a sky"], EPS["a cat"]
        if style == "nested":
            text = middle + 3.0 * (positive - middle)
            return negative + 2.0 * (text - negative)
        return negative + 2.0 * (middle - negative) + (positive - middle) * 3.0

    check(tmp_path, nodes, expected)


@pytest.mark.parametrize("older", [False, True])
def test_perpendicular_negatives_are_exact_where_nothing_is_parallel(
    studio_home: Path, tmp_path: Path, older: bool
) -> None:
    if older:
        patch = node("PerpNeg", model=["4", 0], empty_conditioning=["8", 0], neg_scale=0.5)
        nodes = graph(n3=sampler(model=["9", 0]), n8=encode(""), n9=patch)
    else:
        guider = node("PerpNegGuider", model=["4", 0], cfg=7.0, neg_scale=0.5)
        guider["inputs"] |= {
            "positive": ["6", 0],
            "negative": ["7", 0],
            "empty_conditioning": ["8", 0],
        }
        nodes = graph(
            n3=node("SamplerCustomAdvanced", guider=["9", 0], sampler=["20", 0], sigmas=["21", 0]),
            n8=encode(""),
            n9=guider,
            n20=node("KSamplerSelect", sampler_name="euler"),
            n21=node("BasicScheduler", scheduler="normal", steps=STEPS, denoise=1.0),
        )

    def expected(now: float) -> np.ndarray:
        pos, neg = EPS["a cat"] - EPS[""], EPS["bad"] - EPS[""]
        return EPS[""] + 7.0 * (pos - 0.5 * neg)  # their formula where neg ⊥ pos

    assert "subtracted whole" in check(tmp_path, nodes, expected)


def test_texts_one_after_another(studio_home: Path, tmp_path: Path) -> None:
    both = node("ConditioningConcat", conditioning_to=["6", 0], conditioning_from=["8", 0])
    nodes = graph(n3=sampler(positive=["9", 0]), n8=encode("a sky"), n9=both)
    preset, notes = read(comfy(tmp_path, nodes))
    assert rows(preset) == [("a cat, a sky", 7.0), ("bad", -6.0)]
    assert "in windows apart; here they are one prompt" in notes


def test_sums_that_double_and_double_stay_small(studio_home: Path, tmp_path: Path) -> None:
    nodes = graph(n3=sampler(positive=["149", 0]), n100=combine("6", "6"))
    for i in range(101, 150):
        nodes[str(i)] = combine(str(i - 1), str(i - 1))
        nodes[str(i + 100)] = node(
            "ConditioningConcat",
            conditioning_to=[str(i + 99), 0],
            conditioning_from=[str(i + 99), 0],
        )
    preset, notes = read(comfy(tmp_path, nodes))
    assert len(preset.rows) <= 41 and "only its first 60 texts are read" in notes
    nodes["200"] = encode("a cat")
    nodes["3"] = sampler(positive=["249", 0])
    preset, notes = read(comfy(tmp_path, nodes))
    assert len(preset.rows[0].prompt) <= 4000 and "cut to 4000" in notes
