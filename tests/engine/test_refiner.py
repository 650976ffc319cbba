"""Another model that finishes a picture, against diffusers' pipeline whose network and texts are changed
in the midst of its steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done, Progress
from studio.library import Library
from studio.plan.compile import compile_plan
from studio.plan.kept_omega import recipe_of
from studio.plan.stated import stated_plan
from studio.plan.turns import IS_BASE, TOO_LATE
from studio.preset import Preset, validate
from studio.workers.models import named_models, networks_of
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
    tiny.load(folder / "base").save_pretrained(folder / "same")
    tiny.lora(folder / "ink", pipe.unet)
    return folder


def preset(*rows: dict[str, Any], **fields: Any) -> Preset:
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED}
    return validate({"base": "base", "rows": list(rows), "sampler": sampler, **fields})


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
INK = {"prompt": "a cat", "weight": SCALE, "model": {"lora": "ink", "strength": 0.8}}
AND = {"prompt": "a cat AND a dog", "weight": 3.0}


@pytest.mark.parametrize(("rows", "negative"), [([CAT], None), ([CAT, AWAY], "a dog")])
def test_it_finishes_as_in_a_pipeline_whose_parts_are_changed(
    root: Path, rows: list[dict[str, Any]], negative: str | None
) -> None:
    made = preset(*rows, refiner={"model": "last", "at": AT})
    assert difference(ours(root, made), theirs(root, negative)) <= 1
    assert (
        difference(ours(root, preset(*rows)), theirs(root, negative)) > 4
    )  # else nothing is compared
    passes = [stated_plan(one, Library((root,))).forwards_total for one in (made, preset(*rows))]
    assert passes == [2 * STEPS, 2 * STEPS]


# Rows of every kind: what is the base's is the other model's from there on.
STACKS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "negative": ([CAT, AWAY], {}),
    "lora": ([INK, AWAY], {"omega": 0.7}),
    "lora alone": ([INK], {"omega": 1.0}),
    "and": ([AND], {"decoupling": 0.5}),
    "solo": ([{**CAT, "solo": True}, AWAY], {}),
    "own": ([{**INK, "reference": "own"}], {"omega": 0.5}),
    "autoguidance": ([{**INK, "reference": "autoguidance"}, CAT], {}),
    "text": ([{**CAT, "reference": {"prompt": "a dog"}}], {}),
    "perturbed": ([{**CAT, "reference": "perturbed"}], {}),
    "curve": ([{**CAT, "curve": "cosine_up", "range": [0.1, 0.9]}, AWAY], {}),
    "changing": ([{"prompt": "[a cat:a dog:0.5]", "weight": SCALE}], {}),
    "rescaled": ([CAT, {"prompt": "a dog", "weight": 2.0}], {"guidance_rescale": 0.7}),
    "projected": ([CAT], {"apg": {"eta": 0.0}}),
    "cfg++": ([{**CAT, "weight": 0.6}], {"cfgpp": True}),
}


@pytest.mark.parametrize("name", STACKS)
def test_from_the_beginning_on_it_is_the_base(root: Path, name: str) -> None:
    rows, fields = STACKS[name]
    made = preset(*rows, **fields, refiner={"model": "last", "at": 0.0})
    other = validate(
        {**preset(*rows, **fields).model_dump(mode="json"), "base": "last", "vae": "base"}
    )
    assert difference(ours(root, made), ours(root, other)) <= 1
    assert difference(ours(root, made), ours(root, preset(*rows, **fields))) > 1


@pytest.mark.parametrize("name", STACKS)
def test_to_the_same_weights_nothing_changes(root: Path, name: str) -> None:
    rows, fields = STACKS[name]
    made = preset(*rows, **fields, refiner={"model": "same", "at": 0.5})
    plain = preset(*rows, **fields)
    assert difference(ours(root, made), ours(root, plain)) <= 1
    library = Library((root,))
    assert stated_plan(made, library).forwards_total == stated_plan(plain, library).forwards_total


def test_the_drift_is_measured_against_what_is_the_base(root: Path) -> None:
    made = preset(INK, refiner={"model": "same", "at": 0.5})

    def drift(one: Preset) -> np.ndarray:
        engine = Engine(device="cpu", library=Library((root,)), exact=True)
        (done,) = [e for e in engine.generate(one, drift_every=1) if isinstance(e, Done)]
        norms = [[norm or 0.0 for norm in row.norm] for row in done.drift]
        return np.sum(norms, axis=0)  # of the base's network, then of the other's

    found, plain = drift(made), drift(preset(INK))
    assert found.shape == (STEPS,) and (plain > 0).all()
    assert np.allclose(found, plain, rtol=1e-3)


@pytest.mark.parametrize(
    ("model", "field"), [("ink", "refiner.model"), ("nothing", "refiner.model")]
)
def test_what_cannot_take_the_base_s_place_is_refused_by_name(
    root: Path, model: str, field: str
) -> None:
    with pytest.raises(StudioError) as refused:
        stated_plan(preset(CAT, refiner={"model": model}), Library((root,)))
    assert refused.value.field == field


def test_the_base_itself_changes_nothing_and_that_is_said(root: Path) -> None:
    plan = stated_plan(preset(CAT, refiner={"model": "base"}), Library((root,)))
    assert IS_BASE in plan.notes
    assert [item.weights.model for item in plan.passes] == ["base", "base"]


def test_a_refiner_without_a_turn_is_told(root: Path) -> None:
    library = Library((root,))
    assert (
        TOO_LATE in stated_plan(preset(CAT, refiner={"model": "last", "at": 0.95}), library).notes
    )
    assert TOO_LATE not in stated_plan(preset(CAT, refiner={"model": "last"}), library).notes


def test_what_has_no_autoencoder_of_its_own_finishes_too(root: Path) -> None:
    entries = {one.id: one for one in Library((root,)).entries()}
    entries["pruned"] = replace(entries["last"], id="pruned", lacks=("vae",))
    plan = compile_plan(preset(CAT, refiner={"model": "pruned", "at": AT}), entries)
    assert [item.weights.model for item in plan.passes] == ["base", "base", "pruned", "pruned"]


def test_omega_is_not_kept_where_a_second_model_is_the_base(root: Path) -> None:
    library = Library((root,))
    again = {"scale": 2.0, "strength": 0.5}
    for fields, kept in (
        ({}, True),
        ({"refiner": {"model": "base"}}, True),
        ({"refiner": {"model": "last"}}, False),
        ({"second_pass": {**again, "model": "last"}}, False),
        ({"second_pass": {**again, "model": "base"}}, True),
    ):
        asked = preset(INK, omega=0.5, **fields)
        if kept:
            assert recipe_of(asked, library)
            continue
        with pytest.raises(StudioError, match="acts on two models"):
            recipe_of(asked, library)


def test_a_second_pass_on_the_base_again_is_not_called_idle(root: Path) -> None:
    fields = {"second_pass": {"scale": 2.0, "strength": 0.5, "model": "base"}}
    library = Library((root,))
    said = "second_pass.model: is the base, and changes nothing"
    assert said in stated_plan(preset(CAT, **fields), library).notes
    refined = preset(CAT, **fields, refiner={"model": "last", "at": 0.2})
    plan = stated_plan(refined, library)
    assert said not in plan.notes and plan.second is not None
    assert {item.weights.model for item in plan.second.passes} == {"base"}


def test_workers_are_asked_for_what_later_passes_need(root: Path) -> None:
    library = Library((root,))
    asked = preset(CAT, second_pass={"scale": 2.0, "strength": 0.5, "model": "last"})
    assert {"base", "last"} <= named_models(asked, stated_plan(asked, library), library).keys()
    assert "last" in networks_of(stated_plan(asked, library))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"refiner": {"model": "noisy", "at": AT}}, "refiner.model"),
        ({"second_pass": {"scale": 2.0, "strength": 0.5, "model": "noisy"}}, "second_pass.model"),
    ],
)
def test_noise_of_another_kind_is_refused_before_the_first_step(
    root: Path, tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    noisy = tiny.load(root / "last")
    noisy.scheduler = type(noisy.scheduler).from_config(
        noisy.scheduler.config, beta_schedule="linear"
    )
    noisy.save_pretrained(tmp_path / "noisy")
    engine = Engine(device="cpu", library=Library((root, tmp_path)))
    heard = []
    with pytest.raises(StudioError, match="noise schedule") as refused:
        heard += engine.generate(preset({**CAT, "model": "last"}, **fields))
    assert refused.value.field == field
    assert not [event for event in heard if not isinstance(event, Progress)]
