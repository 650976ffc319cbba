"""What the page says of an image that was just made."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio.events import Done
from studio.preset import validate
from studio.preset.variants import chosen
from studio.ui.history.moments import MOST_CHANCE, Moment


def test_a_run_below_exact_names_what_it_saved_and_its_error() -> None:
    image = Image.new("RGB", (8, 8))
    exact = Done(image, 7, validate({}), 225, 1.0)
    assert Moment.made(Path("a.png"), exact).text == "seed 7 · 225 passes · 1.0 s"
    fast = validate({"sampler": {"effort": "fast"}})
    done = Done(image, 7, fast, 90, 1.0, saved=135, estimated_error=0.0712)
    said = "seed 7 · 90 passes (135 of 225 saved, estimated error 0.071) · 1.0 s"
    assert Moment.made(Path("a.png"), done).text == said
    assert Moment.made(Path("a.png"), done, "x = 2").text == f"x = 2 · {said}"


def test_variations_of_one_seed_are_told_apart() -> None:
    image = Image.new("RGB", (8, 8))
    sampler = {"seed": 8, "variation_strength": 0.2}
    texts = [
        Moment.made(Path("a.png"), Done(image, 8, validate({"sampler": given}), 50, 1.0)).text
        for given in ({**sampler, "variation_seed": 3}, {**sampler, "variation_seed": 4})
    ]
    assert texts == [f"seed 8 · variation {n} · 50 passes · 1.0 s" for n in (3, 4)]


def test_what_chance_chose_stands_under_each_of_several_results() -> None:
    asked = validate(
        {"rows": [{"prompt": "a {red|blue} fox, {x|y}"}, {"prompt": "a {red|blue} fox, {x|y}"}]}
    )
    shown = set()
    for seed in range(20):
        made = chosen(asked, seed).with_seed(seed)
        done = Done(Image.new("RGB", (8, 8)), seed, made, 50, 1.0)
        said = Moment.made(Path("a.png"), done, asked=asked).text.split(" · ")[1]
        colour, letter = made.rows[0].prompt.removeprefix("a ").split(" fox, ")
        assert said == f"“{colour}”, “{letter}”"
        shown.add(said)
    assert len(shown) == 4
    # Where a wildcard is another by now, what the picture was made with is said whole.
    other = Done(Image.new("RGB", (8, 8)), 1, validate({"rows": [{"prompt": "an elk"}] * 2}), 50)
    assert Moment.made(Path("a.png"), other, asked=asked).text.startswith("seed 1 · “an elk”")
    assert Moment.made(Path("a.png"), other, asked=other.preset).text.startswith("seed 1")
    # Of many choices the beginning alone.
    choices = " ".join(f"{{the choice {n}|the choice {n}}}" for n in range(40))
    many = validate({"rows": [{"prompt": choices}]})
    done = Done(Image.new("RGB", (8, 8)), 1, chosen(many, 1), 50, 1.0)
    parts = Moment.made(Path("a.png"), done, asked=many).text.split(" · ")
    assert parts[0] == "seed 1" and len(parts[1]) <= MOST_CHANCE and parts[1].endswith("…")
