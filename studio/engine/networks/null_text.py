"""The null-text concept network (GCFG, Sec. 4.3, Eq. 4-6): a U-Net that needs no text.

Every cross-attention becomes a constant vector added to the image features. The constant is
folded into the bias of the self-attention before it, so ``attn2`` and its norm are gone and a pass
is cheaper than the prior's. What XL's networks read besides, the pooled text, is the empty
prompt's and kept as a constant too; of the picture's size they read what the prior does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention import BasicTransformerBlock
from torch import Tensor, nn

from studio.engine.families.sdxl import xl_conditions

MODES = ("uniform", "calibrated")


class NullTextUNet(ModelMixin, ConfigMixin):
    """A ``UNet2DConditionModel`` without cross-attention; all its parameters train.

    Args:
        unet: config of the network that it was made from.
        null_text: how the constants were found, ``uniform`` or ``calibrated``.
        factor: pixels per latent position, for networks that read the picture's size (XL).
    """

    @register_to_config
    def __init__(
        self, unet: dict[str, Any], null_text: str = "uniform", factor: int | None = None
    ) -> None:
        super().__init__()
        self.body = UNet2DConditionModel.from_config(dict(unet))
        for block in _blocks(self.body).values():
            block.attn2 = block.norm2 = None
        if reads_sizes(self.body):
            sizes = 6 * self.body.config.addition_time_embed_dim
            width = self.body.config.projection_class_embeddings_input_dim - sizes
            self.register_buffer("null_pooled", torch.zeros(1, width))

    def forward(self, sample: Tensor, timestep: Tensor, return_dict: bool = True) -> Any:
        """Prediction of ``sample`` (batch, channels, h, w) at ``timestep``, without a condition."""
        extra = {}
        if reads_sizes(self.body):
            extra = xl_conditions(sample, self.null_pooled, self.config.factor or 8)
        return self.body(sample, timestep, None, return_dict=return_dict, **extra)


def reads_sizes(unet: UNet2DConditionModel) -> bool:
    """Whether a network takes a pooled text and the picture's size (XL)."""
    return unet.config.addition_embed_type == "text_time"


@torch.no_grad()
def null_text_unet(
    unet: UNet2DConditionModel,
    null_states: Tensor,
    mode: str = "uniform",
    samples: Iterable[tuple[Tensor, Tensor]] = (),
    null_pooled: Tensor | None = None,
    factor: int = 8,
) -> NullTextUNet:
    """Make the null-text network of a prior.

    Args:
        unet: the prior; it is left as it is.
        null_states: encoding of the empty prompt, shape (1, tokens, width).
        mode: ``uniform`` reads "Norm in token dimension" as uniform attention, the mean of
            ``V_null`` over its tokens (Eq. 5); ``calibrated`` takes the mean output of the
            prior's own cross-attention over ``samples``.
        samples: for ``calibrated``: noisy latents (batch, channels, h, w) and their time steps.
        null_pooled: for XL: the pooled text of the empty prompt, shape (1, width).
        factor: for XL: pixels per latent position.

    Raises:
        ValueError: an unknown mode, ``calibrated`` without samples, or XL without a pooled text.
    """
    if mode not in MODES:
        raise ValueError(f"mode {mode!r}; known are {', '.join(MODES)}")
    if reads_sizes(unet) and null_pooled is None:
        raise ValueError("a network of XL needs the pooled text of the empty prompt")
    extra = (null_pooled, factor) if reads_sizes(unet) and null_pooled is not None else None
    constants = (
        uniform_constants(unet, null_states)
        if mode == "uniform"
        else calibrated_constants(unet, null_states, samples, extra)
    )
    weight = next(unet.parameters())
    config = {key: value for key, value in unet.config.items() if not key.startswith("_")}
    network = NullTextUNet(unet=config, null_text=mode, factor=factor if extra else None)
    network = network.to(weight.device, weight.dtype)
    network.body.load_state_dict(
        {
            k: v
            for k, v in unet.state_dict().items()
            if ".attn2." not in k and ".norm2." not in k or ".resnets." in k
        }
    )
    if extra:
        network.null_pooled.copy_(extra[0])
    for name, block in _blocks(network.body).items():
        block.attn1.to_out[0].bias += constants[name].to(weight)
    return network


def uniform_constants(unet: UNet2DConditionModel, null_states: Tensor) -> dict[str, Tensor]:
    """Per transformer block ``W·mean_tokens(V_null) + b``, shape (channels,)."""
    return {
        name: block.attn2.to_out[0](block.attn2.to_v(null_states).mean(dim=1))[0]
        for name, block in _blocks(unet).items()
    }


def calibrated_constants(
    unet: UNet2DConditionModel,
    null_states: Tensor,
    samples: Iterable[tuple[Tensor, Tensor]],
    extra: tuple[Tensor, int] | None = None,
) -> dict[str, Tensor]:
    """Per block the mean over samples and positions of what its cross-attention puts out.

    ``extra``: for XL, the empty prompt's pooled text and the pixels per latent position.
    """
    found: dict[str, list[Tensor]] = defaultdict(list)
    handles = [
        block.attn2.register_forward_hook(
            lambda _module, _args, output, name=name: found[name].append(output.mean(dim=(0, 1)))
        )
        for name, block in _blocks(unet).items()
    ]
    try:
        for latents, times in samples:
            besides = xl_conditions(latents, *extra) if extra else {}
            unet(latents, times, null_states.expand(latents.shape[0], -1, -1), **besides)
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise ValueError("calibrated constants need at least one sample")
    return {name: torch.stack(means).mean(dim=0) for name, means in found.items()}


def _blocks(network: nn.Module) -> dict[str, Any]:
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, BasicTransformerBlock)
    }
