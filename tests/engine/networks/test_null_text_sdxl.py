"""Null-text networks of XL: the pooled text and the picture's size are told besides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from studio.engine.networks.null_text import NullTextUNet, null_text_unet
from studio.errors import IncompatibleModels
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.engine.networks.test_null_text import replaced
from tests.support import tiny, tiny_sdxl
from tests.support.tiny_pictures import SCALE, difference, ours

CONCEPT = 1.5


@pytest.fixture(scope="module", params=[True, False], ids=["zeros", "encoded"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An XL base whose empty prompt is zeros, or encoded, with both kinds of concept network."""
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny_sdxl.pipeline(folder / "xl", zeros=request.param)
    samples = [(torch.randn(2, 4, 8, 8), torch.tensor([100, 700]))]
    _, states, _, pooled = pipe.encode_prompt("a", device="cpu")
    for mode in ("uniform", "calibrated"):
        network = null_text_unet(pipe.unet, states, mode, samples, pooled, factor=2)
        torch.manual_seed(3)
        for parameter in network.parameters():  # as if it had been trained
            parameter.data += 0.02 * torch.randn_like(parameter)
        network.save_pretrained(folder / "xl" / mode)
    return folder


@torch.no_grad()
def test_uniform_is_the_prior_with_constants_by_hand() -> None:
    """Before training it is the prior whose attention to text returns ``W·mean(V_null) + b``."""
    torch.manual_seed(0)
    prior = tiny_sdxl.unet().double().eval()
    states = torch.randn(1, 5, sum(tiny_sdxl.WIDTHS), dtype=torch.float64)
    pooled = torch.randn(1, tiny_sdxl.WIDTHS[1], dtype=torch.float64)
    network = null_text_unet(prior, states, null_pooled=pooled, factor=2).eval()
    constants = {}
    for name, module in prior.named_modules():
        if name.endswith("attn2"):
            values = states[0] @ module.to_v.weight.T
            constants[name] = module.to_out[0].weight @ values.mean(0) + module.to_out[0].bias
    assert len(constants) > 6
    z = torch.randn(2, 4, 8, 6, dtype=torch.float64)
    ids = torch.tensor([[16, 12, 0, 0, 16, 12]]).double().expand(2, -1)
    told = {"text_embeds": pooled.expand(2, -1), "time_ids": ids}
    times = torch.tensor([10, 500])
    found = network(z, times).sample
    expected = replaced(prior, constants)(
        z, times, states.expand(2, -1, -1), added_cond_kwargs=told
    ).sample
    assert torch.allclose(found, expected, atol=1e-10)
    told["text_embeds"] = torch.zeros_like(told["text_embeds"])
    other = prior(z, times, states.expand(2, -1, -1), added_cond_kwargs=told).sample
    assert not torch.allclose(found, other, atol=1e-6)


def test_it_cannot_be_made_without_the_pooled_text() -> None:
    prior = tiny_sdxl.unet()
    with pytest.raises(ValueError, match="needs the pooled text"):
        null_text_unet(prior, torch.zeros(1, 5, sum(tiny_sdxl.WIDTHS)))


@pytest.mark.parametrize("mode", ["uniform", "calibrated"])
@pytest.mark.parametrize("exact", [True, False])
@torch.no_grad()
def test_a_concept_row_beside_a_prompt_is_a_plain_loop(root: Path, mode: str, exact: bool) -> None:
    """``(1−w₁−w₂)·ε(∅) + w₁·ε_concept(z) + w₂·ε(c)``, each network told of a 16×24 picture."""
    pipe = tiny_sdxl.load(root)
    concept = NullTextUNet.from_pretrained(root / "xl" / mode).eval()
    states, null, pooled, null_pooled = pipe.encode_prompt("a cat", device="cpu")
    ids = torch.tensor([[24, 16, 0, 0, 24, 16]]).float()

    def prior(
        z: torch.Tensor, t: torch.Tensor, text: torch.Tensor, one: torch.Tensor
    ) -> torch.Tensor:
        return pipe.unet(z, t, text, added_cond_kwargs={"text_embeds": one, "time_ids": ids}).sample

    pipe.scheduler.set_timesteps(3)
    z = torch.randn((1, 4, 12, 8), generator=torch.Generator().manual_seed(3))
    for t in pipe.scheduler.timesteps:
        told = {"text_embeds": null_pooled, "time_ids": ids}
        alone = concept.body(z, t, None, added_cond_kwargs=told).sample
        total = (1 - CONCEPT - SCALE) * prior(z, t, null, null_pooled)
        total = total + CONCEPT * alone + SCALE * prior(z, t, states, pooled)
        z = pipe.scheduler.step(total, t, z).prev_sample
    image = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy().astype(int)
    rows = [{"model": f"xl/{mode}", "weight": CONCEPT}, {"prompt": "a cat", "weight": SCALE}]
    assert difference(ours(root, "xl", (16, 24), exact, rows=rows), expected) <= 1
    assert difference(ours(root, "xl", (16, 24), exact, rows=rows[1:]), expected) > 1


def test_the_library_knows_its_family_and_space(root: Path, tmp_path: Path) -> None:
    library = Library((root,))
    entry, base = library["xl/uniform"], library["xl"]
    assert (entry.kind, entry.family, entry.problem) == ("concept", "sdxl", "")
    assert entry.latent_space == base.latent_space
    tiny.pipeline(tmp_path / "sd")
    with pytest.raises(IncompatibleModels, match="latent space") as caught:
        compile_plan(
            validate({"base": "sd", "rows": [{"model": "xl/uniform"}]}), Library((root, tmp_path))
        )
    assert caught.value.field == "rows.0.model"


def test_one_without_the_pooled_text_is_refused(root: Path, tmp_path: Path) -> None:
    """As an earlier version of the format would be."""
    config = json.loads((root / "xl/uniform/config.json").read_text())
    (tmp_path / "old").mkdir()
    (tmp_path / "old/config.json").write_text(json.dumps({**config, "factor": None}))
    assert "without XL's pooled text" in Library((tmp_path,))["old"].problem
