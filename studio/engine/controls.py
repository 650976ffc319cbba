"""What control images add to a network: residuals of ControlNets and of their relatives.

One function a form of :data:`studio.library.control_networks.CONTROL_NETWORKS`. It gets the samples
that have a map through one network, and returns residuals by the argument of diffusers' U-Net that
takes them, not yet scaled by their strengths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.families import Family, Text
from studio.errors import BadPreset
from studio.extensions import placed
from studio.library.control_networks import CONTROL_NETWORKS, PLAIN

DOWN, MID = "down_block_additional_residuals", "mid_block_additional_residual"
WITHIN = "down_intrablock_additional_residuals"  # added inside the network's first half
_GREY = (0.299, 0.587, 0.114)  # of red, green and blue, as Pillow reckons brightness (ITU-R 601-2)

Residuals = dict[str, list[Tensor]]


@dataclass(frozen=True)
class Guide:
    """A control network's part in one pass: its network, the map (1, 3, H, W) in [0, 1], strength.

    ``form``: of :data:`CONTROL_NETWORKS`. ``task``: what the map shows, for a network of several
    kinds. ``known``: what is made of the map once.
    """

    network: nn.Module
    map: Tensor
    strength: float
    form: str = PLAIN
    task: int | None = None
    known: dict[Hashable, list[Tensor]] = field(default_factory=dict, compare=False)

    @property
    def group(self) -> Hashable:
        """Equal for guides that run in one batch."""
        return id(self.network), self.task


def residuals(
    guides: Sequence[Sequence[Guide]], latents: Tensor, t: Tensor, text: Text, family: Family
) -> dict[str, object]:
    """Arguments of the network for a batch: zeros for samples without a map, {} where none has one;
    of a sample with several, the sum of theirs.

    Args:
        guides: those of each sample.
        latents: (samples, channels, h, w); ``text``: as many prompts.
    """
    total: Residuals = {}
    asked = [(k, one) for k, of_sample in enumerate(guides) for one in of_sample]
    seen: Counter[Hashable] = Counter()
    batches: dict[Hashable, list[tuple[int, Guide]]] = {}
    for k, one in asked:  # of one network a sample's first with others' first, then its second
        seen[k, one.group] += 1
        batches.setdefault((one.group, seen[k, one.group]), []).append((k, one))
    for found in batches.values():
        where = torch.tensor([k for k, _ in found], device=latents.device)
        mine = [one for _, one in found]
        run = placed(CONTROL_NETWORKS[mine[0].form].runs)
        added: Residuals = run(mine, latents[where], t, text[where], family)
        strength = torch.tensor([one.strength for one in mine]).to(latents)[:, None, None, None]
        for argument, parts in added.items():
            padded = [_scatter(part * strength, where, len(guides)) for part in parts]
            before = total.get(argument)
            total[argument] = (
                [a + b for a, b in zip(before, padded, strict=True)] if before else padded
            )
    if MID not in total:
        return dict(total)
    return {**total, DOWN: tuple(total[DOWN]), MID: total[MID][0]}


def controlnet(
    guides: Sequence[Guide], latents: Tensor, t: Tensor, text: Text, family: Family
) -> Residuals:
    """A ControlNet's residuals (Zhang et al. 2023)."""
    return _of_controlnet(guides, latents, t, text, family, _maps(guides, latents))


def controlnet_union(
    guides: Sequence[Guide], latents: Tensor, t: Tensor, text: Text, family: Family
) -> Residuals:
    """The same of one ControlNet for several kinds of maps, which is given the kind.

    Raises:
        BadPreset: a kind that this one was not made for.
    """
    network: Any = guides[0].network
    kinds, task = network.config.num_control_type, guides[0].task
    if task is None or task >= kinds:
        raise BadPreset(
            f"reads the first {kinds} kinds of maps of its make alone, and not this one",
            field="control.type",
        )
    kind = latents.new_zeros(len(guides), kinds)
    kind[:, task] = 1
    which = {"control_type": kind, "control_type_idx": [task]}
    maps = [_maps(guides, latents)]
    return _of_controlnet(guides, latents, t, text, family, maps, **which)


def _of_controlnet(
    guides: Sequence[Guide],
    latents: Tensor,
    t: Tensor,
    text: Text,
    family: Family,
    maps: Tensor | list[Tensor],
    **more: object,
) -> Residuals:
    network = guides[0].network
    down, mid = network(
        latents,
        t,
        encoder_hidden_states=text.states,
        controlnet_cond=maps,
        return_dict=False,
        **more,
        **family.added(network, latents, text),
    )
    return {DOWN: list(down), MID: [mid]}


def _maps(guides: Sequence[Guide], latents: Tensor) -> Tensor:
    return torch.cat([one.map for one in guides]).to(latents)


def t2i_adapter(
    guides: Sequence[Guide], latents: Tensor, t: Tensor, text: Text, family: Family
) -> Residuals:
    """A T2I-Adapter's features (Mou et al. 2023), which know the map alone and are made once.

    Raises:
        BadPreset: a picture whose size is no multiple of what the adapter takes together.
    """
    del t, text, family
    features = [_features(one, latents) for one in guides]
    return {WITHIN: [torch.cat(level) for level in zip(*features, strict=True)]}


def _features(guide: Guide, latents: Tensor) -> list[Tensor]:
    network: Any = guide.network
    if latents.dtype not in guide.known:
        height, width = guide.map.shape[-2:]
        step = network.config.downscale_factor
        if height % step or width % step:
            raise BadPreset(
                f"width and height must be multiples of {step} for this T2I-Adapter, got "
                f"{width}x{height}",
                field="sampler.width",
            )
        seen = guide.map.to(latents)
        if network.config.in_channels == 1:
            seen = (seen * seen.new_tensor(_GREY)[:, None, None]).sum(1, keepdim=True)
        guide.known[latents.dtype] = network(seen)
    return guide.known[latents.dtype]


def _scatter(part: Tensor, where: Tensor, size: int) -> Tensor:
    return part.new_zeros((size, *part.shape[1:])).index_copy_(0, where, part)
