"""Blocks that run directly are diffusers' own, bit for bit."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from studio.engine.speed.direct import direct
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
@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        a_residual_block_that_scales,
        feed_forwards_in_chunks,
        attention_that_adds,
        a_hook_on_a_convolution,
        a_hook_on_a_gate,
    ],
)
def test_a_network_is_the_same_bit_for_bit(
    change: Callable[[Any], None], dtype: torch.dtype
) -> None:
    plain = run(tiny.unet().to(dtype))
    network = tiny.unet().to(dtype)
    change(network)
    expected = run(network)
    with direct(network):
        got = run(network)
    assert torch.equal(got, expected)
    assert change in (as_it_is, feed_forwards_in_chunks) or not torch.equal(plain, expected)
    assert all("forward" not in module.__dict__ for module in network.modules())


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
