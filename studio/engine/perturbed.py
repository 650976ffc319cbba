"""Perturbed-attention guidance (Ahn et al., 2024, arXiv:2403.17377): a network that does not look around.

In the middle of the network each place keeps its own value, whatever it would attend to: the attention
map ``softmax(QKᵀ/√d)`` is replaced by the identity, so that ``PSA(Q, K, V) = V`` (Eq. 11). What such a
prediction lacks is structure; a row that is compared with it leads away from that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from studio.engine.speed.forwards import running

_LAYERS: WeakKeyDictionary[nn.Module, list[Attention]] = WeakKeyDictionary()


def blind_layers(network: nn.Module) -> list[Attention]:
    """The self-attention of the network's middle, none where it has no such middle."""
    if network not in _LAYERS:
        middle = getattr(network, "mid_block", None)
        found = [] if middle is None else middle.modules()
        _LAYERS[network] = [
            one for one in found if type(one) is Attention and not one.is_cross_attention
        ]
    return _LAYERS[network]


@contextmanager
def perturbed(network: nn.Module, on: bool) -> Iterator[None]:
    """Inside the ``with``, its middle's self-attention is the identity, where that is ``on``."""
    with running({layer: partial(_value, layer) for layer in blind_layers(network) if on}):
        yield


def _value(layer: Any, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
    """``V`` in place of ``softmax(QKᵀ/√d)·V``, projected and added as the layer does."""
    x = hidden_states.flatten(2).transpose(1, 2) if hidden_states.ndim == 4 else hidden_states
    if layer.group_norm is not None:
        x = layer.group_norm(x.transpose(1, 2)).transpose(1, 2)
    for step in (layer.to_v, *layer.to_out):
        x = step(x)
    if hidden_states.ndim == 4:
        x = x.transpose(1, 2).reshape(hidden_states.shape)
    if layer.residual_connection:
        x = x + hidden_states
    return x / layer.rescale_output_factor
