"""Sweeps over a text of prompts that choose: what is chosen stays, and only the text changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studio.experiments.sweeping import Sweep
from studio.preset import Preset, validate
from studio.preset.sweep import parse_axis
from studio.preset.variants import chosen

COLOURS = ("red", "blue", "green", "grey", "gold", "pink", "white", "black")
HAT = "{" + "|".join(COLOURS) + "}"


def preset(prompt: str) -> Preset:
    rows = [{"prompt": prompt, "weight": 5.0}, {"prompt": "a {big|small} one", "weight": -1.0}]
    return validate({"rows": rows, "sampler": {"seed": 11}})


def prompts(swept: Preset, axis: str, seeds: tuple[int, ...] = ()) -> list[str]:
    sweep = Sweep(swept, (parse_axis(axis, ""), None, None), seeds, "s")
    return [shot.preset.rows[0].prompt for shot in sweep.shots()]


@pytest.mark.parametrize("seeds", [(), tuple(range(6))])
def test_choices_are_alike_in_all_cells_of_a_seed(
    studio_home: Path, seeds: tuple[int, ...]
) -> None:
    one = preset(f"a cat in a {HAT} hat and {HAT} shoes")
    many = prompts(one, "prompts=cat,dog,owl,fox,hen,cow", seeds)
    kept = [re.sub("cat|dog|owl|fox|hen|cow", "cat", text) for text in many]
    count = len(seeds) or 1
    assert kept == kept[:count] * 6
    assert len(set(kept)) == (1 if not seeds else len(set(kept[:count]))) and "{" not in kept[0]
    plain = [chosen(one, seed).rows[0].prompt for seed in seeds or (11,)]
    assert kept[:count] == plain  # the first cell is what the preset makes without a sweep
    assert len(set(plain)) > 1 or not seeds


def test_what_a_choice_holds_is_replaced_in_it(studio_home: Path) -> None:
    one = preset(f"a {HAT} hat")
    colour = chosen(one, 11).rows[0].prompt.split()[1]
    assert prompts(one, f"prompts={colour},teal")[1] == "a teal hat"
    (studio_home / "wildcards").mkdir(parents=True)
    (studio_home / "wildcards/hat.txt").write_text("cap\nbonnet\n")
    first, second = prompts(preset("a __hat__"), "prompts=__hat__,crown")
    assert first in ("a cap", "a bonnet") and second == "a crown"


def test_a_cell_that_is_used_makes_the_picture_that_is_shown(studio_home: Path) -> None:
    axis = (parse_axis("prompts=cat,dog", ""), None, None)
    for shot in Sweep(preset(f"a cat in a {HAT} hat"), axis, (), "s").shots():
        assert shot.cell.preset == shot.preset


def test_a_sweep_of_fields_leaves_choices_to_the_picture(studio_home: Path) -> None:
    swept = preset(f"a {HAT} hat")
    assert prompts(swept, "sampler.steps=4,8") == [swept.rows[0].prompt] * 2
