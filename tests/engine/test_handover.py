"""Another model that finishes a picture, against diffusers' pipeline whose network and texts are changed
in the midst of its steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.errors import BadPreset, StudioError
from studio.library import Library
from studio.plan.handover import handed_back, handed_over
from studio.plan.stated import stated_plan
from studio.preset import Preset, validate
from tests.support import tiny, tiny_pictures
from tests.support.tiny_pictures import SCALE, SEED, difference

STEPS, FIRST, AT = 6, 2, 0.3  # of steps at 0.001, 0.168, 0.334 … the third is the first behind it


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("base", "last")):
        pipe = tiny.pipeline(folder / name, seed)
        with torch.no_grad():
            for parameter in pipe.text_encoder.parameters():
                parameter.add_(0.05 * seed * torch.randn_like(parameter))
        pipe.text_encoder.save_pretrained(folder / name / "text_encoder")
    tiny.lora(folder / "ink", pipe.unet)
    return folder


def preset(*rows: dict[str, Any], **fields: Any) -> Preset:
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED}
    return validate({"base": "base", "rows": list(rows), "sampler": sampler, **fields})


def handed(root: Path, before: Preset, at: float = 0.5, model: str = "last") -> Preset:
    made, notes = handed_over(before, model, at, Library((root,)).catalogue())
    assert not notes
    return made


def ours(root: Path, made: Preset) -> np.ndarray:
    return tiny_pictures.made(root, made.model_dump(mode="json"))


def theirs(root: Path, negative: str | None) -> np.ndarray:
    """Classifier-free guidance under one pipeline's weights, from the third step on the other's."""
    first, last = tiny.load(root / "base"), tiny.load(root / "last")

    def swapped(pipe: Any, step: int, _: Any, held: dict[str, Any]) -> dict[str, Any]:
        if step + 1 == FIRST:
            toward, away = last.encode_prompt("a cat", "cpu", 1, True, negative)
            pipe.unet = last.unet
            return {"prompt_embeds": torch.cat([away, toward])}
        return held

    first.set_progress_bar_config(disable=True)
    image = first(
        "a cat",
        negative_prompt=negative,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        width=16,
        height=16,
        generator=torch.Generator().manual_seed(SEED),
        callback_on_step_end=swapped,
        callback_on_step_end_tensor_inputs=["prompt_embeds"],
    ).images[0]
    return np.asarray(image).astype(int)


CAT = {"prompt": "a cat", "weight": SCALE}
AWAY = {"prompt": "a dog", "weight": 1 - SCALE}


@pytest.mark.parametrize("omega", [0.0, 0.7])
@pytest.mark.parametrize(("rows", "negative"), [([CAT], None), ([CAT, AWAY], "a dog")])
def test_the_other_model_finishes_as_in_a_pipeline_whose_parts_are_changed(
    root: Path, rows: list[dict[str, Any]], negative: str | None, omega: float
) -> None:
    before = preset(*rows, omega=omega)
    made = handed(root, before, AT)
    assert difference(ours(root, made), theirs(root, negative)) <= 1
    assert difference(ours(root, before), theirs(root, negative)) > 4  # else nothing is compared


def test_no_pass_more_is_made_than_before(root: Path) -> None:
    library = Library((root,))
    for rows in ([CAT], [CAT, AWAY]):
        before = preset(*rows)
        passes = [
            stated_plan(one, library).forwards_total for one in (before, handed(root, before))
        ]
        assert passes[0] == passes[1] == 2 * STEPS


def test_a_curve_goes_on_where_it_was(root: Path) -> None:
    """Handed over to the same weights, a picture stays as it was."""
    tiny.pipeline(root / "same", 0).text_encoder.save_pretrained(root / "same" / "text_encoder")
    twin = tiny.load(root / "base")
    twin.save_pretrained(root / "same")
    curved = {**CAT, "curve": "cosine_up", "range": [0.1, 0.9]}
    before = preset(curved, {**AWAY, "range": [0.6, 1.0]}, {"prompt": "b", "weight": 1.0})
    made, notes = handed_over(before, "same", 0.5, Library((root,)).catalogue())
    assert difference(ours(root, made), ours(root, before)) <= 1
    assert notes and notes[0].startswith("rows 3, 4 act from there on not with one weight")
    assert [row.range for row in made.rows] == [
        (0.1, 0.5),
        (0.0, 0.5),
        (0.5, 0.9),
        (0.6, 1.0),
        (0.5, 1.0),
    ]


def test_adapters_go_along_and_rows_with_a_model_of_their_own_stay(root: Path) -> None:
    rows = [
        {"prompt": "a", "model": "ink", "weight": 3.0},
        {"prompt": "b", "model": {"lora": "ink", "strength": 0.5}, "weight": 1.0},
        {"prompt": "c", "model": "last", "weight": -2.0},
        {"prompt": "d", "enabled": False},
    ]
    made = handed(root, preset(*rows))
    assert [(row.prompt, row.range) for row in made.rows] == [
        ("a", (0.0, 0.5)),
        ("b", (0.0, 0.5)),
        ("c", (0.0, 1.0)),
        ("d", (0.0, 0.5)),
        ("a", (0.5, 1.0)),
        ("b", (0.5, 1.0)),
        ("d", (0.5, 1.0)),
        ("", (0.5, 1.0)),
    ]
    models = [row.model for row in made.rows[4:]]
    named = [one if isinstance(one, str) or one is None else one.model_dump() for one in models]
    assert [one["model"] if isinstance(one, dict) else one for one in named] == ["last"] * 4
    assert named[0]["lora"] == "ink" and named[1]["strength"] == 0.5  # type: ignore[index]
    assert made.rows[-1].weight == 1 - (3 + 1 - 2)
    assert not made.rows[6].enabled


@pytest.mark.parametrize(
    "rows",
    [
        [CAT],
        [CAT, AWAY],
        [{**CAT, "model": {"lora": "ink"}}, {**AWAY, "enabled": False}],
        [{**CAT, "range": [0.2, 1.0]}, {"prompt": "early", "range": [0.0, 0.5]}, AWAY],
        [{**CAT, "model": "last"}, CAT],
    ],
)
def test_what_is_handed_over_is_handed_back(root: Path, rows: list[dict[str, Any]]) -> None:
    before = preset(*rows)
    made = handed(root, before, 0.6)
    assert handed_back(made) == (before, "last", 0.6)
    assert handed_back(before) is None


def test_what_is_of_another_form_is_not(root: Path) -> None:
    made = handed(root, preset(CAT), 0.6)
    assert len(made.rows) == 3
    for index in range(3):
        rows = [row.model_dump(mode="json") for row in made.rows]
        for changes in ({"weight": 2.0}, {"prompt": "else"}, {"range": [0.1, 0.7]}):
            changed = [*rows[:index], {**rows[index], **changes}, *rows[index + 1 :]]
            assert handed_back(preset(*changed)) is None
    assert handed_back(preset()) is None


@pytest.mark.parametrize(
    ("model", "at", "field"),
    [
        ("last", 0.0, "at"),
        ("last", 1.0, "at"),
        ("base", 0.5, "model"),
        ("ink", 0.5, "model"),
        ("nothing", 0.5, "model"),
    ],
)
def test_what_cannot_take_over_is_refused_by_name(
    root: Path, model: str, at: float, field: str
) -> None:
    with pytest.raises(StudioError) as refused:
        handed(root, preset(CAT), at, model)
    assert refused.value.field == field


def test_a_picture_is_not_handed_over_where_nothing_of_its_base_is_left(root: Path) -> None:
    made = handed(root, preset(CAT))
    with pytest.raises(BadPreset, match=r"no row of the base 'base' is left from 0.8 on"):
        handed(root, made, 0.8)
