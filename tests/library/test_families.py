"""The table of families: what reads it, and a family that comes from outside."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline

from studio.cli.models import models as list_models
from studio.library import FAMILIES, Library
from studio.plan import compile_plan
from studio.preset import validate
from studio.ui.library import models as page
from tests.support import REPOSITORY, tiny, tiny_pictures, toy_family

LISTING = argparse.Namespace(add=[], remove=[], folders=False, hashes=False)


@pytest.fixture
def toy() -> Iterator[None]:
    toy_family.add()
    yield
    FAMILIES.remove("toy")


@pytest.fixture
def home(studio_home: Path, toy: None) -> Path:
    """A library with a tiny model of the toy family, whose latents have eight channels."""
    folder = studio_home / "models/toy"
    plain: Any = tiny.pipeline(studio_home / "plain", prediction="v_prediction")
    torch.manual_seed(4)
    vae = AutoencoderKL.from_config({**plain.vae.config, "latent_channels": 8})
    unet = type(plain.unet).from_config({**plain.unet.config, "in_channels": 8, "out_channels": 8})
    parts = {**plain.components, "vae": vae, "unet": unet}
    StableDiffusionPipeline(**parts, requires_safety_checker=False).save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "_class_name": "ToyPipeline"}))
    page.rescan()
    yield studio_home
    page.rescan()


def test_a_family_of_forty_lines_is_seen_everywhere(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(toy_family.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 40
    list_models(LISTING)
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert next(one for one in listed if one["id"] == "toy")["family"] == "toy"

    library = Library((home / "models",))
    assert library["toy"].latent_space == "8x2:0.5"
    row = {"prompt": "a cat", "weight": tiny_pictures.SCALE}
    assert len(compile_plan(validate({"base": "toy", "rows": [row]}), library).passes) == 2
    pipe = StableDiffusionPipeline.from_pretrained(home / "models/toy", safety_checker=None)
    theirs = tiny_pictures.theirs(pipe, "a cat")
    found = tiny_pictures.ours(home / "models", "toy", 16, rows=[row])
    assert tiny_pictures.difference(found, theirs) <= 1

    assert "toy" in page.bases("starter")
    assert next(one for one in page.as_signal() if one["id"] == "toy")["family"] == "toy"
    assert "Toy diffusion" in page.table(shared=True)


def test_a_family_that_is_not_there_is_a_reason(home: Path) -> None:
    FAMILIES.remove("toy")
    folder = home / "models/toy"
    (folder / "card.json").write_text(json.dumps({"family": "toy"}))
    (refused,) = Library((home / "models",)).refused()
    assert "is of family 'toy'; the studio runs Stable Diffusion 1.x" in refused.problem
    toy_family.add()


def test_the_docs_table_is_the_table() -> None:
    """docs/models.md names every family with its prediction, text, size and advised weight."""
    text = (REPOSITORY / "docs/models.md").read_text(encoding="utf-8")
    symbols = {"epsilon": "ε", "v_prediction": "v", "flow_prediction": "flow"}
    for family in FAMILIES.values():
        predicts = " or ".join(symbols[one] for one in family.predicts)
        line = (
            f"| {family.title} | {predicts} | {family.text} | {family.size} | {family.guidance:g} |"
        )
        assert line in text, line
