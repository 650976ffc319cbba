"""Perturbed-attention guidance as a row's reference, against diffusers' own pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPAGPipeline, StableDiffusionXLPAGPipeline, UNet2DModel
from diffusers.models.attention_processor import Attention

from studio.engine import Engine
from studio.engine.perturbed import blind_layers, perturbed
from studio.engine.speed.direct import direct
from studio.errors import IncompatibleModels
from studio.events import Done
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import validate
from tests.support import tiny, tiny_sana, tiny_sdxl
from tests.support.tiny_pictures import SCALE, difference, ours, theirs

PAG = 3.0
ROWS = [
    {"prompt": "a cat", "weight": SCALE},
    {"prompt": "a cat", "weight": PAG, "reference": "perturbed"},
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    tiny_sdxl.pipeline(folder / "xl")
    return folder


def pag_of(kind: Any, pipe: Any) -> Any:
    more = {"requires_safety_checker": False} if kind is StableDiffusionPAGPipeline else {}
    return kind(**pipe.components, pag_applied_layers="mid", **more)


@pytest.mark.parametrize("exact", [True, False])
def test_it_is_diffusers_perturbed_attention_guidance(root: Path, exact: bool) -> None:
    pipe = pag_of(StableDiffusionPAGPipeline, tiny.load(root / "base"))
    expected = theirs(pipe, "a cat", pag_scale=PAG)
    assert difference(expected, theirs(tiny.load(root / "base"), "a cat")) > 5
    assert difference(ours(root, rows=ROWS, exact=exact), expected) <= 2


def test_without_a_guided_prompt_too(root: Path) -> None:
    """``ε(c) + s·(ε(c) − ε̂(c))``: a prompt of weight 1 beside it."""
    pipe = pag_of(StableDiffusionPAGPipeline, tiny.load(root / "base"))
    expected = theirs(pipe, "a cat", pag_scale=PAG, guidance_scale=0.0)
    rows = [{**ROWS[0], "weight": 1.0}, ROWS[1]]
    assert difference(ours(root, rows=rows), expected) <= 2


def test_on_sdxl(root: Path) -> None:
    pipe = pag_of(StableDiffusionXLPAGPipeline, tiny_sdxl.load(root))
    size = tiny_sdxl.SIZE if hasattr(tiny_sdxl, "SIZE") else 32
    expected = theirs(pipe, "a cat", size=size, pag_scale=PAG)
    found = ours(root, base="xl", size=size, rows=ROWS)
    assert difference(found, expected) <= 2


def test_it_takes_one_pass_more_a_step_and_may_have_a_range_and_a_sign(root: Path) -> None:
    library = Library((root,))
    plain, more = (validate({"base": "base", "rows": rows}) for rows in (ROWS[:1], ROWS))
    one, two = (stated_plan(preset, library).forwards_per_step[0] for preset in (plain, more))
    assert two == one + 1
    early = validate({"base": "base", "rows": [ROWS[0], {**ROWS[1], "range": [0.0, 0.5]}]})
    assert len(set(stated_plan(early, library).forwards_per_step)) == 2
    assert "perturbed" in str(stated_plan(more, library))
    away = [ROWS[0], {**ROWS[1], "weight": -PAG}]
    assert difference(ours(root, rows=away), ours(root, rows=ROWS)) > 5


def test_a_lora_s_row_is_compared_with_its_own_network_that_attends_to_nothing(root: Path) -> None:
    """One of strength 0 is the base; a real one is another row than the base's."""
    rows = [ROWS[0], {**ROWS[1], "model": {"lora": "base/style", "strength": 0.0}}]
    assert difference(ours(root, rows=rows, omega=1.0), ours(root, rows=ROWS)) <= 1
    rows[1]["model"] = {"lora": "base/style", "strength": 1.0}  # type: ignore[index]
    assert difference(ours(root, rows=rows, omega=1.0), ours(root, rows=ROWS)) > 1


@pytest.mark.parametrize("over", [True, False])
def test_a_blind_layer_gives_what_its_map_being_the_identity_gives(over: bool) -> None:
    """Also of the layers of networks without text: those norm and add by themselves."""
    torch.manual_seed(0)
    more: dict[str, Any] = {"norm_num_groups": 4, "residual_connection": True} if over else {}
    layer = Attention(8, heads=2, dim_head=4, bias=True, rescale_output_factor=2.0, **more)
    network = torch.nn.Module()
    network.mid_block = torch.nn.ModuleList([layer])
    x = torch.randn(2, 8, 3, 3) if over else torch.randn(2, 9, 8)
    flat = x.flatten(2).transpose(1, 2) if over else x
    read = flat if not over else layer.group_norm(flat.transpose(1, 2)).transpose(1, 2)
    with torch.no_grad():
        value = read @ layer.to_v.weight.T
        value = value if layer.to_v.bias is None else value + layer.to_v.bias
        expected = torch.eye(9) @ value
        expected = expected @ layer.to_out[0].weight.T + layer.to_out[0].bias
        expected = (expected + flat if over else expected) / 2.0
        with direct(network), perturbed(network, True):
            found = layer(x)
        with perturbed(network, False):
            plain = layer(x)
        assert torch.equal(plain, layer(x))
    found = found.flatten(2).transpose(1, 2) if over else found
    assert torch.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(plain.flatten(), x.flatten())
    assert "forward" not in layer.__dict__


def test_the_middle_of_a_network_without_text_has_a_layer() -> None:
    assert len(blind_layers(UNet2DModel(sample_size=8, block_out_channels=(32, 32, 32, 32)))) == 1
    assert blind_layers(torch.nn.Linear(2, 2)) == []


def test_bases_without_a_middle_refuse_it_by_the_row(tmp_path: Path) -> None:
    tiny_sana.pipeline(tmp_path / "sana")
    preset = validate({"base": "sana", "rows": ROWS})
    with pytest.raises(IncompatibleModels, match="has no middle") as caught:
        stated_plan(preset, Library((tmp_path,)))
    assert caught.value.field == "rows.1.reference"


def test_a_muted_row_of_it_is_no_matter(tmp_path: Path) -> None:
    tiny_sana.pipeline(tmp_path / "sana")
    rows = [ROWS[0], {**ROWS[1], "enabled": False}]
    stated_plan(validate({"base": "sana", "rows": rows}), Library((tmp_path,)))


def test_the_run_counts_and_measures_it_as_any_other_row(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    sampler = {"steps": 3, "seed": 3, "width": 16, "height": 16}
    preset = validate({"base": "base", "rows": ROWS, "sampler": sampler})
    (done,) = (e for e in engine.generate(preset) if isinstance(e, Done))
    assert done.forwards == 9
    assert [share.row for share in done.shares] == [0, 1]
    assert all(norm is not None and np.isfinite(norm) for norm in done.shares[1].norm)
