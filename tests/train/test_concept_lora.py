"""A concept LoRA is trained under the null prompt, and is a direction from the prior without a prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from accelerate import Accelerator

from studio.__main__ import build_parser
from studio.library import Library
from studio.plan import compile_plan
from studio.train.result import preset_for
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


def test_its_row_is_the_factors_under_the_null_prompt_against_the_prior(folder: Path) -> None:
    done = train_tiny.run(train_tiny.config(folder, "concept-lora", name="kind", steps=2))
    config = train_tiny.config(folder, "concept-lora", name="kind")
    preset = preset_for(config, "kind")
    assert preset.omega == 0 and preset.rows[0].prompt == "" and train_tiny.result_of(done).is_dir()
    plan = compile_plan(preset, Library())
    assert len(plan.passes) == 2  # ε_{θ+Δ}(z, φ) and ε_θ(z, φ)
    weight = preset.rows[0].weight
    first = sorted(one.coefficients[0] for one in plan.passes)
    assert first == pytest.approx(sorted([weight, 1 - weight]))


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
