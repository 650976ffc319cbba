"""Attention layers without the detour that diffusers takes on every call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

_LAYERS: WeakKeyDictionary[nn.Module, list[Attention]] = WeakKeyDictionary()


@contextmanager
def direct_attention(network: nn.Module) -> Iterator[None]:
    """Inside the ``with``, attention layers call their processors at once.

    diffusers looks up the processor's signature at every call, to sort options that the engine
    never passes; on small latents that takes as long as the layer itself. The arithmetic is the
    same, bit for bit.
    """
    layers = _attention_layers(network)
    try:
        for layer in layers:
            layer.forward = partial(_direct, layer)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)


def _attention_layers(network: nn.Module) -> list[Attention]:
    if network not in _LAYERS:
        _LAYERS[network] = [m for m in network.modules() if type(m) is Attention]
    return _LAYERS[network]


def _direct(
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
    return layer.processor(
        layer,
        hidden_states,
        encoder_hidden_states=encoder_hidden_states,
        attention_mask=attention_mask,
    )
