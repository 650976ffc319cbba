"""The null-text network against a prior whose cross-attention is replaced by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.engine.networks.null_text import NullTextUNet, null_text_unet
from tests.support import tiny


def replaced(network: torch.nn.Module, constant: dict[str, torch.Tensor]) -> torch.nn.Module:
    """Every ``attn2`` swapped for a module that returns its constant at each position."""

    class Constant(torch.nn.Module):
        def __init__(self, value: torch.Tensor) -> None:
            super().__init__()
            self.value = value

        def forward(self, x: torch.Tensor, **_: object) -> torch.Tensor:
            return self.value.expand_as(x)

    for name, module in list(network.named_modules()):
        if name.endswith("attn2"):
            parent = network.get_submodule(name.rpartition(".")[0])
            parent.attn2 = Constant(constant[name])
    return network


@pytest.fixture
def prior() -> torch.nn.Module:
    return tiny.unet(seed=4).double().eval()


Z = torch.randn(2, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
NULL = torch.randn(
    1, 7, tiny.WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
)
T = torch.tensor([10, 500])


def test_uniform_is_the_mean_value_of_the_null_text(prior: torch.nn.Module) -> None:
    network = null_text_unet(prior, NULL)
    by_hand = {}
    for name, module in prior.named_modules():
        if name.endswith("attn2"):
            values = NULL[0] @ module.to_v.weight.T
            by_hand[name] = module.to_out[0].weight @ values.mean(0) + module.to_out[0].bias
    with torch.no_grad():
        got = network(Z, T).sample
        expected = replaced(prior, by_hand)(Z, T, NULL.expand(2, -1, -1)).sample
    assert torch.allclose(got, expected, atol=1e-10)


def test_one_token_leaves_attention_no_choice(prior: torch.nn.Module) -> None:
    """With a single token the softmax is 1, so the network must equal the prior itself."""
    with torch.no_grad():
        expected = prior(Z, T, NULL[:, :1].expand(2, -1, -1)).sample
        for mode in ("uniform", "calibrated"):
            got = null_text_unet(prior, NULL[:, :1], mode, [(Z, T)])(Z, T).sample
            assert torch.allclose(got, expected, atol=1e-10)


def test_modes_and_the_prior_stay_apart(prior: torch.nn.Module) -> None:
    before = {k: v.clone() for k, v in prior.state_dict().items()}
    uniform, calibrated = (
        null_text_unet(prior, NULL, m, [(Z, T)]) for m in ("uniform", "calibrated")
    )
    assert (uniform.config.null_text, calibrated.config.null_text) == ("uniform", "calibrated")
    assert not torch.allclose(uniform(Z, T).sample, calibrated(Z, T).sample, atol=1e-8)
    assert all(torch.equal(v, before[k]) for k, v in prior.state_dict().items())
    with pytest.raises(ValueError, match="at least one sample"):
        null_text_unet(prior, NULL, "calibrated")
    with pytest.raises(ValueError, match="known are uniform, calibrated"):
        null_text_unet(prior, NULL, "other")


def test_saving_round_trips_and_nothing_of_the_text_is_left(
    prior: torch.nn.Module, tmp_path: Path
) -> None:
    prior.save_pretrained(
        tmp_path / "prior"
    )  # a network that was read from a folder knows its path
    network = null_text_unet(type(prior).from_pretrained(tmp_path / "prior").double(), NULL)
    network.save_pretrained(tmp_path)
    assert str(tmp_path) not in (tmp_path / "config.json").read_text()
    again = NullTextUNet.from_pretrained(tmp_path, torch_dtype=torch.float64)
    assert again.config.null_text == "uniform"
    assert torch.equal(again(Z, T).sample, network(Z, T).sample)
    names = [name for name, _ in network.named_parameters()]
    assert not any("attn2" in n or "norm2" in n for n in names if "resnets" not in n)
    assert sum(p.numel() for p in network.parameters()) < sum(p.numel() for p in prior.parameters())


def test_every_parameter_trains(prior: torch.nn.Module) -> None:
    network = null_text_unet(prior, NULL).train()
    network(Z, T).sample.square().mean().backward()
    assert all(p.grad is not None for p in network.parameters())
