"""A concept LoRA is trained under the null prompt, and is a direction from the prior without a prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from accelerate import Accelerator

from studio.__main__ import build_parser
from studio.library import Library
from studio.plan import Condition, compile_plan
from studio.preset import validate
from studio.train.result import preset_for
from studio.ui.describe import idle
from studio.ui.wiring.generation import strip_of
from tests.support import train_tiny


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


def test_its_loss_is_that_of_the_network_under_the_empty_string(folder: Path) -> None:
    stepper = train_tiny.stepper(
        train_tiny.config(folder, "concept-lora", batch=2), Accelerator(cpu=True)
    )
    base, job = stepper.job.base, stepper.job
    batch = stepper.batch(job.pictures, stepper.order, 0, 2)
    assert batch.captions == []
    with torch.no_grad():
        nothing = base.reader()(["", ""], {}).states
        by_hand = base.network(
            batch.noisy.float(), batch.times, encoder_hidden_states=nothing.float()
        ).sample
    expected = F.mse_loss(by_hand.double(), batch.wanted.double())
    assert stepper(0).mse == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("omega", [0.0, 0.4])
def test_its_row_is_the_factors_under_the_null_prompt_against_the_prior(
    folder: Path, omega: float
) -> None:
    config = train_tiny.config(folder, "concept-lora", name="kind", steps=2)
    train_tiny.run(config)
    preset = preset_for(config, "kind").model_copy(update={"omega": omega})
    weight = preset.rows[0].weight
    plan = compile_plan(preset, Library())
    found = {p.weights.loras: (p.condition, p.coefficients[0]) for p in plan.passes}
    assert found == {
        (("kind", 1.0),): (Condition(""), weight),
        (): (Condition(""), pytest.approx(1 - weight)),
    }
    assert "omega" in idle(preset)
    assert [label for label, _ in strip_of(preset, few=True)] == [
        "weight 1",
        "weight 2",
        "weight 4",
    ]


def test_a_concept_takes_no_part_in_the_weights_that_omega_mixes(folder: Path) -> None:
    train_tiny.run(train_tiny.config(folder, "concept-lora", name="kind", steps=1))
    train_tiny.run(train_tiny.config(folder, "lora", name="hero", steps=1))
    hero = {"model": {"lora": "hero"}, "prompt": "a <hero>", "weight": 5.0}
    concept = {"model": {"lora": "kind"}, "prompt": "", "weight": 2.0}
    preset = validate({"base": "tiny", "omega": 0.4, "rows": [hero, concept]})
    base = [p for p in compile_plan(preset, Library()).passes if p.coefficients[0] == -6]
    assert [(p.weights.loras, p.condition) for p in base] == [((("hero", 0.4),), Condition(""))]


def test_the_command_line_takes_its_rank(folder: Path) -> None:
    given = [
        "train",
        "concept",
        "--method",
        "concept-lora",
        "--images",
        str(folder),
        "--name",
        "kind",
    ]
    options = build_parser().parse_args([*given, "--rank", "3", "--targets", "attention"])
    assert (options.rank, options.targets) == (3, "attention")
