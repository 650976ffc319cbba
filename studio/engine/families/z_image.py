"""Z-Image: a flow, one stream of picture and text, the text of a language model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from studio.engine.families.base import Text
from studio.engine.families.modular import Modular


class ZImage(Modular):
    """``ZImageTransformer2DModel``; a text has its own length, and takes places before the picture."""

    reads = "diffusers.modular_pipelines.z_image.encoders:ZImageTextEncoderStep"
    gives: ClassVar[Mapping[str, str]] = {"states": "prompt_embeds"}
    longest: ClassVar[Mapping[str, int]] = {"tokenizer": 512}
    chat: ClassVar[Mapping[str, Any] | None] = {"enable_thinking": True}
    wide = True

    def text_width(self, network: Any) -> int:
        """What its captions' embedding reads."""
        return int(network.config.cap_feat_dim)

    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """Its time runs from noise to picture, and its velocity with it: ``x₀ − ε``."""
        assert text.mask is not None
        states = [one[kept.bool()] for one, kept in zip(text.states, text.mask, strict=True)]
        time = (1000 - t.expand(len(latents)).to(latents.dtype)) / 1000
        with _side_by_side(network.cap_embedder, [_multiple(len(one)) for one in states]):
            output = network(list(latents.unsqueeze(2).unbind()), time, states, return_dict=False)[
                0
            ]
        return -torch.stack(output).squeeze(2)


def _multiple(length: int) -> int:
    """Tokens that the network makes of a text of ``length``."""
    from diffusers.models.transformers.transformer_z_image import SEQ_MULTI_OF

    return length + -length % SEQ_MULTI_OF


@contextmanager
def _side_by_side(layer: nn.Module, lengths: Sequence[int]) -> Iterator[None]:
    """Inside the ``with``, texts go through ``layer`` as a batch, not one after another.

    So an adapter on it finds each row's text where its scale is. Equal lengths need no help.
    """
    if len(set(lengths)) == 1:
        yield
        return

    def before(_: nn.Module, args: tuple[Tensor]) -> Tensor:
        return pad_sequence(list(args[0].split(list(lengths))), batch_first=True)

    def after(_: nn.Module, args: Any, output: Tensor) -> Tensor:
        return torch.cat([row[:length] for row, length in zip(output, lengths, strict=True)])

    hooks = [layer.register_forward_pre_hook(before), layer.register_forward_hook(after)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
