"""The guidance that FLUX.1 [dev] reads as a number, against diffusers' ``FluxPipeline``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import FluxPipeline

from studio.errors import BadPreset, IncompatibleModels
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny, tiny_flux, tiny_pictures
from tests.support.family_contract import PROMPT, SIZE, ours
from tests.support.tiny_pictures import SCALE, difference


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """[dev] as ``base``, [schnell], and a Stable Diffusion."""
    folder = tmp_path_factory.mktemp("models")
    tiny_flux.pipeline(folder / "base")
    tiny_flux.pipeline(folder / "schnell", guided=False)
    tiny.pipeline(folder / "sd")
    return folder


@pytest.fixture(scope="module")
def theirs(root: Path) -> Callable[..., np.ndarray]:
    pipe = FluxPipeline.from_pretrained(root / "base")

    def made(**asked: float) -> np.ndarray:
        asked = {"negative_prompt": "", **asked}  # type: ignore[dict-item]
        return tiny_pictures.theirs(pipe, PROMPT, SIZE, output_type="pil", **asked)

    return made


@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
def test_the_number_is_what_diffusers_calls_guidance_scale(
    scale: float, root: Path, theirs: Callable[..., np.ndarray]
) -> None:
    """Beside a row of another weight, as beside ``true_cfg_scale``."""
    expected = theirs(guidance_scale=scale, true_cfg_scale=SCALE)
    assert difference(ours(root, distilled_guidance=scale), expected) <= 1
    assert difference(ours(root), expected) > 1  # the card's, where the preset says nothing


def test_one_row_at_weight_1_is_the_distilled_model_alone(
    root: Path, theirs: Callable[..., np.ndarray]
) -> None:
    found = ours(root, {"weight": 1.0}, distilled_guidance=12.0)
    assert difference(found, theirs(guidance_scale=12.0, true_cfg_scale=1.0)) <= 1


def test_nothing_said_is_what_the_card_says(root: Path) -> None:
    assert np.array_equal(ours(root), ours(root, distilled_guidance=3.5))


def test_what_reads_no_such_number_is_refused_by_name(root: Path) -> None:
    asked: dict[str, Any] = {"rows": [{"prompt": "a cat"}], "distilled_guidance": 3.5}
    with pytest.raises(
        IncompatibleModels, match=r"'sd' .* reads none; networks of FLUX\.1, FLUX\.2 do$"
    ) as caught:
        compile_plan(validate({"base": "sd", **asked}), Library((root,)))
    assert caught.value.field == "distilled_guidance"
    with pytest.raises(IncompatibleModels, match="reads no distilled guidance"):
        tiny_pictures.made(root, {"base": "schnell", **asked, "sampler": {"steps": 1}})
    tiny_pictures.made(root, {"base": "schnell", "rows": asked["rows"], "sampler": {"steps": 1}})


@pytest.mark.parametrize("value", [-0.1, 100.5, float("nan"), "many"])
def test_its_bounds_are_the_schemas(value: object) -> None:
    with pytest.raises(BadPreset, match=r"^distilled_guidance: "):
        validate({"distilled_guidance": value})
