"""ERNIE-Image: a flow, one stream of picture and text, on latents that FLUX.2's autoencoder packs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from studio.engine.families.base import Text
from studio.engine.families.flux2 import load_packing
from studio.engine.families.modular import Modular
from studio.library import ModelEntry

EPSILON = 1e-5  # of the latents' deviation: its pipeline's, whatever the autoencoder's config says


class ErnieImage(Modular):
    """``ErnieImageTransformer2DModel``; a text has its own length, and is read as it is written."""

    reads = "diffusers.modular_pipelines.ernie_image.encoders:ErnieImageTextEncoderStep"
    gives: ClassVar[Mapping[str, str]] = {"states": "prompt_embeds"}
    longest: ClassVar[Mapping[str, int]] = {"tokenizer": 2048}
    wide = True

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``AutoencoderKLFlux2``, with what its pipeline does around it."""
        return load_packing(self.record, entry, device, self._held(dtype), EPSILON)

    def text_width(self, network: Any) -> int:
        """What its text's projection reads."""
        return int(network.config.text_in_dim)

    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """One of the network's positions is one of the latent's; what fills a text up is hidden."""
        assert text.mask is not None
        with _rows_first(*(block.mlp for block in network.layers), network.final_linear):
            return network(
                hidden_states=latents,
                timestep=t.expand(len(latents)).to(latents.dtype),
                text_bth=text.states,
                text_lens=text.mask.sum(1),
                return_dict=False,
            )[0]


@contextmanager
def _rows_first(*layers: nn.Module) -> Iterator[None]:
    """The network keeps places before rows; inside these layers, where an adapter's strength is each
    row's own, rows come first. Adapters are on it already: their hooks run before the last one here."""

    def turn(_: nn.Module, args: tuple[Tensor]) -> Tensor:
        return args[0].transpose(0, 1)

    def back(_: nn.Module, args: Any, output: Tensor) -> Tensor:
        return output.transpose(0, 1)

    hooks = [layer.register_forward_pre_hook(turn) for layer in layers]
    hooks += [layer.register_forward_hook(back) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
