"""Krea 2 distilled to a few steps, whose pipeline shifts the flow by a fixed number; its adapters' names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import Krea2Pipeline
from diffusers.loaders.lora_conversion_utils import _convert_non_diffusers_krea2_lora_to_diffusers

from studio.engine.adapters.names import Names
from studio.engine.families import family_named
from studio.library import Library, noise
from tests.support import tiny_krea2, tiny_pictures
from tests.support.family_contract import PROMPT, SIZE, ours
from tests.support.tiny_pictures import difference


@pytest.mark.parametrize("distilled", [True, False])
def test_one_row_is_its_pipeline_without_guidance(tmp_path: Path, distilled: bool) -> None:
    tiny_krea2.pipeline(tmp_path / "base", distilled)
    pipe = Krea2Pipeline.from_pretrained(tmp_path / "base")
    theirs = tiny_pictures.theirs(pipe, PROMPT, SIZE, output_type="pil", guidance_scale=0.0)
    found = ours(tmp_path, {"weight": 1.0})
    assert difference(found, theirs) <= 1
    pipe.register_to_config(is_distilled=not distilled)
    other = tiny_pictures.theirs(pipe, PROMPT, SIZE, output_type="pil", guidance_scale=0.0)
    assert difference(found, np.asarray(other)) > 1


def test_the_plan_knows_the_shift_before_a_network_is_read(tmp_path: Path) -> None:
    tiny_krea2.pipeline(tmp_path / "base", distilled=True)
    entry = Library((tmp_path,))["base"]
    config = noise.scheduler_config(entry)
    assert config == family_named("krea2").scheduler_config(entry)
    assert config["shift"] == pytest.approx(2.718281828459045**1.15)


def test_adapters_in_the_original_names_reach_the_layers_that_diffusers_says() -> None:
    network = tiny_krea2.transformer()
    block = ("attn.wq", "attn.wk", "attn.wv", "attn.wo", "attn.gate")
    block += ("mlp.gate", "mlp.up", "mlp.down")
    names = [
        *(f"blocks.0.{one}" for one in block),
        *(f"txtfusion.{kind}_blocks.0.{one}" for kind in ("layerwise", "refiner") for one in block),
        *("first", "last.linear", "tmlp.0", "tmlp.2", "tproj.1", "txtmlp.1", "txtmlp.3"),
        "txtfusion.projector",
    ]
    known = Names({"unet": network})
    for name in names:
        told = _convert_non_diffusers_krea2_lora_to_diffusers(
            {f"diffusion_model.{name}.lora_A.weight": torch.ones(1)}
        )
        (theirs,) = (one.removesuffix(".lora_A.weight") for one in told)
        for prefix in ("diffusion_model.", "base_model.model.", "lora_unet_"):
            assert known.find(prefix + name) == ("unet", theirs.removeprefix("transformer."))
