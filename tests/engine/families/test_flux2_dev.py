"""FLUX.2 [dev], in the family of [klein]: another language model, and a guidance that is read as a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import Flux2Pipeline

from studio.engine.families import family_named
from studio.errors import IncompatibleModels, StudioError
from studio.library import Library
from tests.support import tiny_flux2, tiny_pictures
from tests.support.family_contract import PROMPT, SIZE, Loop, ours
from tests.support.tiny_pictures import difference


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tiny_flux2.dev(tmp_path / "base")
    return tmp_path


def theirs(root: Path, guidance: float) -> np.ndarray:
    pipe = Flux2Pipeline.from_pretrained(root / "base")
    return tiny_pictures.theirs(pipe, PROMPT, SIZE, output_type="pil", guidance_scale=guidance)


@pytest.mark.parametrize("guidance", [None, 1.5])
def test_one_row_is_its_pipeline(root: Path, guidance: float | None) -> None:
    asked = {} if guidance is None else {"distilled_guidance": guidance}
    found = ours(root, {"weight": 1.0}, **asked)
    assert difference(found, theirs(root, 4.0 if guidance is None else guidance)) <= 1
    assert difference(found, theirs(root, 9.0)) > 1


def test_signed_rows_guide_beside_the_number(root: Path) -> None:
    loop = Loop(root, "flux2")
    against = loop.family.encode(loop.text, ["red"])

    def guided(x: torch.Tensor, t: torch.Tensor, step: int) -> torch.Tensor:
        free, told, away = (
            loop.family.predict(loop.prior, x, t, text) for text in (loop.null, loop.told, against)
        )
        return free + 3 * (told - free) - 1.5 * (away - free)

    rows: list[dict[str, Any]] = [
        {"prompt": PROMPT, "weight": 3.0},
        {"prompt": "red", "weight": -1.5},
    ]
    assert difference(ours(root, rows=rows), loop.run(guided)) <= 1


def test_a_prompt_that_is_too_long_or_stands_for_a_picture_is_refused(root: Path) -> None:
    family, entry = family_named("flux2"), Library((root,))["base"]
    text = family.load_text(entry, torch.device("cpu"), torch.float32)
    with pytest.raises(StudioError, match=r"the prompt has \d+ tokens; FLUX.2 reads 512"):
        family.spans(text, "x" * 600)
    with pytest.raises(StudioError, match=r"\[IMG\] stands for a picture") as caught:
        family.spans(text, "a cat [IMG]")
    assert caught.value.field == "prompt"


def test_klein_refuses_a_guidance_that_it_does_not_read(tmp_path: Path) -> None:
    tiny_flux2.pipeline(tmp_path / "base")
    with pytest.raises(IncompatibleModels, match="reads no distilled guidance"):
        ours(tmp_path, distilled_guidance=3.0)
