"""The text blocks of diffusers' modular pipelines as families read with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch

from studio.engine.families import family_named
from studio.engine.families.base import Text
from studio.engine.families.modular import Modular
from studio.errors import StudioError
from studio.library import FAMILIES, Library
from studio.preset.prompts import has_weights
from tests.support.family_contract import Roots

BY_BLOCKS = [name for name in FAMILIES if isinstance(family_named(name), Modular)]


class Xl(Modular):
    """SDXL's text by its block, beside the family that reads it with weights and windows."""

    reads = (
        "diffusers.modular_pipelines.stable_diffusion_xl.encoders:StableDiffusionXLTextEncoderStep"
    )
    gives: ClassVar[Mapping[str, str]] = {
        "states": "prompt_embeds",
        "pooled": "pooled_prompt_embeds",
    }
    longest: ClassVar[Mapping[str, int]] = {"tokenizer": 77}

    def call(self, network: Any, latents: torch.Tensor, t: torch.Tensor, text: Text) -> Any:
        raise NotImplementedError


def test_the_text_of_sdxl_is_its_familys(roots: Roots) -> None:
    entry, place = Library((roots("sdxl"),))["base"], (torch.device("cpu"), torch.float32)
    own, block = family_named("sdxl"), Xl(FAMILIES["sdxl"])
    prompts = ["a cat", "red"]
    found = block.encode(block.load_text(entry, *place), prompts)
    expected = own.encode(own.load_text(entry, *place), prompts)
    torch.testing.assert_close(found.states, expected.states)
    torch.testing.assert_close(found.pooled, expected.pooled)


@pytest.mark.parametrize("name", BY_BLOCKS)
def test_long_texts_are_counted_in_bfloat16_as_they_are(name: str, roots: Roots) -> None:
    """Whose whole numbers end at 256: one token more or less would be hidden, or moved."""
    family, entry = family_named(name), Library((roots(name),))["base"]
    counts = []
    for dtype in (torch.float32, torch.bfloat16):
        text = family.load_text(entry, torch.device("cpu"), dtype)
        found = [
            family.encode(text, ["x" * min(259, min(family.longest.values()) - 8)]),
            family.encode(text, ["y" * 240]),
        ]
        joined = Text.cat(found) if found[0].mask is not None else found[0]
        counts.append(None if joined.mask is None else joined.mask.sum(1).tolist())
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", BY_BLOCKS)
def test_what_a_prompt_cannot_be_is_said(name: str, roots: Roots) -> None:
    family, entry = family_named(name), Library((roots(name),))["base"]
    text = family.load_text(entry, torch.device("cpu"), torch.float32)
    weighted = "a (cat:1.2)"
    assert has_weights(weighted)
    for prompt, told in (
        ("x" * 3000, r"the prompt has \d+ tokens; .* reads \d+"),
        (weighted, "reads no attention weights"),
    ):
        with pytest.raises(StudioError, match=told) as caught:
            family.spans(text, prompt)
        assert caught.value.field == "prompt"
    assert family.spans(text, "") == 1


def test_texts_of_several_lengths_are_filled_up_where_masked() -> None:
    short, long = (Text(torch.ones(1, n, 2), mask=torch.ones(1, n)) for n in (2, 3))
    both = Text.cat([short, long])
    assert both.states.tolist()[0] == [[1, 1], [1, 1], [0, 0]]
    assert both.mask is not None and both.mask.tolist() == [[1, 1, 0], [1, 1, 1]]
