"""diffusers' blocks without what an inference never needs: the same arithmetic, bit for bit.

An attention layer looks up its processor's signature at every call, a residual block divides by one
and every sum takes memory of its own. On small latents such detours are a tenth of a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from diffusers.models.activations import GEGLU
from diffusers.models.attention import BasicTransformerBlock, FeedForward
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn import functional as F

from studio.engine.speed.forwards import running

_ATTENTION: WeakKeyDictionary[nn.Module, list[Attention]] = WeakKeyDictionary()
_BLOCKS: WeakKeyDictionary[nn.Module, dict[Any, Callable[..., Tensor]]] = WeakKeyDictionary()


@contextmanager
def direct(network: nn.Module, blocks: bool = True) -> Iterator[None]:
    """Inside the ``with``, attention layers call their processors at once, and residual and
    transformer blocks write where they may.

    Args:
        network: of any kind; what is not one of these layers as Stable Diffusion has them runs as
            it is.
        blocks: ``False`` for the attention layers alone, where blocks run compiled.
    """
    if network not in _ATTENTION:
        _ATTENTION[network] = [m for m in network.modules() if type(m) is Attention]
    forwards: dict[Any, Any] = {layer: partial(_attend, layer) for layer in _ATTENTION[network]}
    if blocks:
        forwards.update(_blocks(network))
    with running(forwards):
        yield


def _blocks(network: nn.Module) -> Mapping[Any, Callable[..., Tensor]]:
    if network not in _BLOCKS:
        _BLOCKS[network] = {
            module: partial(forward, module)
            for module in network.modules()
            for kind, plain, forward in KINDS
            if type(module) is kind and plain(module)
        }
    return _BLOCKS[network]


def _attend(
    layer: Attention,
    hidden_states: Tensor,
    encoder_hidden_states: Tensor | None = None,
    attention_mask: Tensor | None = None,
    **options: Any,
) -> Tensor:
    if options:
        return Attention.forward(
            layer, hidden_states, encoder_hidden_states, attention_mask, **options
        )
    if attention_mask is None and hidden_states.ndim == 3 and _is_plain_attention(layer):
        return _plain_attention(layer, hidden_states, encoder_hidden_states)
    return layer.processor(
        layer,
        hidden_states,
        encoder_hidden_states=encoder_hidden_states,
        attention_mask=attention_mask,
    )


def _is_plain_attention(layer: Any) -> bool:
    return (
        type(layer.processor) is AttnProcessor2_0
        and not (layer.spatial_norm or layer.group_norm or layer.norm_cross)
        and not (layer.norm_q or layer.norm_k or layer.residual_connection)
        and layer.rescale_output_factor == 1.0
    )


def _plain_attention(layer: Any, x: Tensor, text: Tensor | None) -> Tensor:
    source = x if text is None else text
    query, key, value = (
        made.unflatten(-1, (layer.heads, -1)).transpose(1, 2)
        for made in (layer.to_q(x), layer.to_k(source), layer.to_v(source))
    )
    seen = F.scaled_dot_product_attention(query, key, value)
    return layer.to_out[0](seen.transpose(1, 2).flatten(2))


def _is_plain_residual(block: ResnetBlock2D) -> bool:
    return (
        block.upsample is None
        and block.downsample is None
        and block.time_emb_proj is not None
        and not block.skip_time_act
        and block.time_embedding_norm == "default"
        and block.output_scale_factor == 1.0
        and type(block.nonlinearity) is nn.SiLU
    )


def _residual(block: Any, x: Tensor, time: Tensor) -> Tensor:
    hidden = block.conv1(F.silu(block.norm1(x), inplace=True))
    hidden += block.time_emb_proj(F.silu(time))[:, :, None, None]
    hidden = block.conv2(F.silu(block.norm2(hidden), inplace=True))
    kept = x if block.conv_shortcut is None else block.conv_shortcut(x)
    return kept + hidden  # in the layout of what is kept, which may not be the convolution's


def _is_plain_transformer(block: BasicTransformerBlock) -> bool:
    return (
        block.norm_type == "layer_norm"
        and block.pos_embed is None
        and block.attn2 is not None
        and not block.only_cross_attention
        and block._chunk_size is None
        and not hasattr(block, "fuser")
        and type(block.ff) is FeedForward
        and type(block.ff.net[0]) is GEGLU
    )


def _transform(
    block: Any,
    hidden_states: Tensor,
    attention_mask: Tensor | None = None,
    encoder_hidden_states: Tensor | None = None,
    encoder_attention_mask: Tensor | None = None,
    **options: Any,
) -> Tensor:
    if any(value is not None for value in options.values()):
        return BasicTransformerBlock.forward(
            block,
            hidden_states,
            attention_mask,
            encoder_hidden_states,
            encoder_attention_mask,
            **options,
        )
    looked = block.attn1(block.norm1(hidden_states), attention_mask=attention_mask)
    hidden = looked + hidden_states  # not in place: passes that share it look at one memory
    read = block.attn2(
        block.norm2(hidden),
        encoder_hidden_states=encoder_hidden_states,
        attention_mask=encoder_attention_mask,
    )
    hidden += read
    value, gate = block.ff.net[0].proj(block.norm3(hidden)).chunk(2, dim=-1)
    hidden += block.ff.net[2](F.gelu(gate).mul_(value))
    return hidden


# kind of block, whether it is as Stable Diffusion has it, and how it runs then
KINDS: tuple[tuple[type[nn.Module], Callable[[Any], bool], Callable[..., Tensor]], ...] = (
    (ResnetBlock2D, _is_plain_residual, _residual),
    (BasicTransformerBlock, _is_plain_transformer, _transform),
)
