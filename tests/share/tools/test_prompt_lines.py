"""Lines of prompts with settings of their own, as AUTOMATIC1111's script reads them."""

from __future__ import annotations

import pytest

from studio.errors import StudioError
from studio.preset import validate
from studio.share.tools.prompt_lines import of_line

FORM = validate({"rows": [{"prompt": "a cat", "weight": 5}], "sampler": {"steps": 9, "seed": 4}})


def test_a_line_sets_what_it_names_and_all_else_stays() -> None:
    line = (
        '--prompt "a dog, at night" --negative_prompt ugly dull --steps 20 --cfg_scale 7 --seed -1 '
        "--width 128 --height 96 --batch_size 2 --n_iter 3 --subseed 8 --subseed_strength 0.2"
    )
    made, notes = (found := of_line(FORM, line)).preset, found.notes
    assert [(row.prompt, row.weight) for row in made.rows] == [
        ("a dog, at night", 7),
        ("ugly dull", -6),
    ]
    sampler = made.sampler
    assert (sampler.steps, sampler.seed, sampler.width, sampler.height) == (20, -1, 128, 96)
    assert (sampler.count, sampler.variation_seed, sampler.variation_strength) == (6, 8, 0.2)
    assert notes == ()
    kept = of_line(FORM, "--prompt a dog").preset
    assert kept == FORM.model_copy(update={"rows": kept.rows}) and kept.rows[0].prompt == "a dog"
    assert of_line(FORM, "--n_iter 3").preset.sampler.count == 3


def test_a_line_without_settings_is_a_prompt() -> None:
    made = of_line(FORM, "a dog -- isn't it --steps 3")
    assert made.preset.rows[0].prompt == "a dog -- isn't it --steps 3"
    assert made.preset.sampler == FORM.sampler


def test_the_negative_prompt_that_is_there_takes_the_text() -> None:
    two = validate({"rows": [{"prompt": "a cat"}, {"prompt": "blue", "weight": -4}]})
    assert of_line(two, "--negative_prompt red").preset.rows[1].prompt == "red"
    assert of_line(two, '--negative_prompt ""').preset.rows[1].prompt == ""
    assert len(of_line(FORM, '--negative_prompt ""').preset.rows) == 1


def test_a_negative_prompt_weighs_what_the_others_leave() -> None:
    plain = validate({"rows": [{"prompt": "a", "weight": 0.5, "curve": "linear_up"}]})
    made = of_line(plain, "--negative_prompt b").preset.rows[1]
    assert (made.weight, made.curve, made.prompt) == (0.5, "constant", "b")
    one = validate({"rows": [{"prompt": "a", "weight": 1}, {"prompt": "b", "weight": 0}]})
    made = of_line(one, "--negative_prompt c --cfg_scale 7").preset
    assert [(row.prompt, row.weight) for row in made.rows] == [("a", 7), ("c", -6)]
    (note,) = of_line(plain, "--prompt a <lora:ink:0.8>").notes
    assert note == "<lora:ink:0.8> loads nothing here: give the rows the LoRA"


def test_names_of_samplers_and_what_has_no_place_are_read_as_from_a_picture() -> None:
    made = of_line(FORM, '--sampler_name "Euler a" --tiling true --restore_faces true')
    assert made.preset.sampler.scheduler == "euler_a" and made.preset.seamless == "both"
    assert made.notes == ("--restore_faces 'true' is not carried over",)
    assert of_line(FORM, "--outpath_samples x --sd_model starter").notes == ()
    assert of_line(FORM, "--sd_model x.safetensors").notes


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('--prompt "a dog', "a quote is never closed"),
        ("--steps", "steps: has no value"),
        ("--steps many", "steps: expected a number, got 'many'"),
        ("--steps 5 6", "steps: one value"),
        ("--steps 5000", "sampler.steps"),
    ],
)
def test_what_cannot_be_is_named(line: str, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        of_line(FORM, line)
    negative = validate({"rows": [{"prompt": "a cat", "weight": -2}]})
    with pytest.raises(StudioError, match="prompt: no row leads to a prompt"):
        of_line(negative, "--prompt a dog")
