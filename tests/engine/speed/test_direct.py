"""Blocks that run directly are diffusers' own, bit for bit."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from studio.engine.speed.direct import direct
from studio.engine.speed.prefix import TextCache, prefix_modules, shared_prefix
from tests.support import tiny


def latents(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def run(network: Any) -> Tensor:
    dtype = next(network.parameters()).dtype
    latent, text = latents(2, 4, 8, 8).to(dtype), latents(2, 5, tiny.WIDTH).to(dtype)
    return network(latent, torch.tensor(300), text).sample


def as_it_is(network: Any) -> None:
    pass


def channels_last(network: Any) -> None:
    """In which sums take the layout of what is added to first, and layouts round differently."""
    network.to(memory_format=torch.channels_last)


def a_residual_block_that_scales(network: Any) -> None:
    network.mid_block.resnets[0].output_scale_factor = 1.5


def feed_forwards_in_chunks(network: Any) -> None:
    network.mid_block.attentions[0].transformer_blocks[0].set_chunk_feed_forward(1, dim=1)


def attention_that_adds(network: Any) -> None:
    network.mid_block.attentions[0].transformer_blocks[0].attn1.residual_connection = True


def a_hook_on_a_convolution(network: Any) -> None:
    network.mid_block.resnets[0].conv1.register_forward_hook(lambda _m, _i, output: 2 * output)


def a_hook_on_a_gate(network: Any) -> None:
    gate = network.mid_block.attentions[0].transformer_blocks[0].ff.net[0].proj
    gate.register_forward_hook(lambda _m, _i, output: 2 * output)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("linear", [False, True], ids=["convolutions", "linear projections"])
@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        channels_last,
        a_residual_block_that_scales,
        feed_forwards_in_chunks,
        attention_that_adds,
        a_hook_on_a_convolution,
        a_hook_on_a_gate,
    ],
)
def test_a_network_is_the_same_bit_for_bit(
    change: Callable[[Any], None], linear: bool, dtype: torch.dtype
) -> None:
    plain = run(tiny.unet(use_linear_projection=linear).to(dtype))
    network = tiny.unet(use_linear_projection=linear).to(dtype)
    change(network)
    expected = run(network)
    with direct(network):
        got = run(network)
    assert torch.equal(got, expected)
    same = change in (as_it_is, channels_last, feed_forwards_in_chunks)
    assert same or not torch.equal(plain, expected)
    assert all("forward" not in module.__dict__ for module in network.modules())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@torch.inference_mode()
def test_what_passes_share_is_not_written_to(layout: torch.memory_format) -> None:
    network: Any = tiny.unet(use_linear_projection=True).to(memory_format=layout)
    latent = latents(1, 4, 8, 8).expand(2, -1, -1, -1)
    text, t = latents(2, 5, tiny.WIDTH), torch.tensor(300)
    found = []
    for around in (nullcontext(), direct(network)):
        shared = shared_prefix(network, prefix_modules(network), [0, 0])
        with around, shared, TextCache().attached(network, 0):  # keys are kept from the first on
            found.append([network(latent, t, text).sample for _ in range(3)])
    assert all(torch.equal(plain, ours) for plain, ours in zip(*found, strict=True))


@pytest.mark.parametrize("blocks", [True, False])
def test_the_detours_are_not_taken(blocks: bool) -> None:
    network = tiny.unet()
    taken: list[object] = []

    def seen(forward: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, *args, **kwargs: (
            taken.append(type(self)) or forward(self, *args, **kwargs)
        )

    with pytest.MonkeyPatch.context() as patch:
        original = inspect.signature
        patch.setattr(inspect, "signature", lambda f: taken.append(f) or original(f))
        for kind in (ResnetBlock2D, BasicTransformerBlock):
            patch.setattr(kind, "forward", seen(kind.forward))
        with direct(network, blocks):
            run(network)
    assert set(taken) == (set() if blocks else {ResnetBlock2D, BasicTransformerBlock})


def test_forwards_are_given_back_after_an_error() -> None:
    network: nn.Module = tiny.unet()
    with pytest.raises(RuntimeError, match="stop"), direct(network):
        raise RuntimeError("stop")
    assert all("forward" not in module.__dict__ for module in network.modules())
