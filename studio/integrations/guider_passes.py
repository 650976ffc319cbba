"""What a guider of diffusers runs: passes of a plan that are prompts on the pipeline's network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from studio import images
from studio.errors import BadPreset, IncompatibleModels
from studio.library import Library, ModelEntry
from studio.plan import Plan
from studio.plan.passes import EVERYWHERE, Pass
from studio.preset import Preset

ROWS = "rows"  # the field of what belongs to no row
_ASPECT = 0.02  # by which a mask's may differ from the picture's


class PipelineModels(Mapping[str, ModelEntry]):
    """The library's models, and besides what only the pipeline holds: its base and its LoRAs."""

    def __init__(self, base: str, adapters: Iterable[str]) -> None:
        self.library = Library()
        own = [(base, "base"), *((name, "lora") for name in adapters)]
        self.own = {
            name: ModelEntry(id=name, kind=kind, family="", bytes=0, path="pipeline")
            for name, kind in own
            if name not in self.library
        }

    def __getitem__(self, key: str) -> ModelEntry:
        return self.own[key] if key in self.own else self.library[key]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.own, **dict.fromkeys(self.library)})

    def __len__(self) -> int:
        return len(list(iter(self)))


def check_whole(preset: Preset) -> None:
    """Raise :class:`IncompatibleModels` for what is no row's and no part of a guider."""
    own = {
        "init": preset.init,
        "vae": preset.vae,
        "sampler.tiles": preset.sampler.tiles,
        "seamless": preset.seamless != "off",
        "freeu.on": preset.freeu.on,
        "refiner.model": preset.refiner.on,
        "second_pass.scale": preset.second_pass.on,
        "detail.finder": preset.detail.on,
        "clip_skip": preset.clip_skip is not None,
        "distilled_guidance": preset.distilled_guidance is not None,
    }
    for name, chosen in own.items():
        if chosen:
            raise IncompatibleModels("is the pipeline's own in diffusers", field=name)
    refined = preset.refine.chosen
    if refined:
        raise IncompatibleModels(
            "is not part of a guider; a pipeline of diffusers has refinements of its own",
            field=refined[0].name,
        )


def check_pass(item: Pass, preset: Preset) -> None:
    """Raise :class:`IncompatibleModels` for a pass that is no prompt on the base with LoRAs."""
    row = f"rows.{item.rows[0]}" if item.rows else ROWS
    base, shown = preset.base, item.condition
    if item.weights.model != base or item.weights.blend:
        raise IncompatibleModels(
            "is another network than the base; a guider runs the pipeline's network with LoRAs",
            field=f"{row}.model",
        )
    if shown.perturbed:
        raise IncompatibleModels(
            "is perturbed attention, which a guider of diffusers makes by itself",
            field=f"{row}.reference",
        )
    for what, given in (
        ("control", shown.controls),
        ("image", shown.image),
        ("image_prompt", shown.image_prompt),
        ("model.embeddings", shown.words),
    ):
        if given:
            raise IncompatibleModels(
                "is not part of a guider's condition; use the studio's engine",
                field=f"{row}.{what}",
            )


def check_masks(preset: Preset, width: int, height: int) -> None:
    """Masks have the pictures' aspect, as far as the call says which that is."""
    for index, row in preset.active_rows():
        if not (row.mask and width and height):
            continue
        picture = images.resolve_mask(row.mask, field=f"rows.{index}.mask")
        if abs(picture.width * height / (picture.height * width) - 1) > _ASPECT:
            raise BadPreset(
                f"is {picture.width}x{picture.height}; a mask has the aspect of the picture, "
                f"{width}x{height}",
                field=f"rows.{index}.mask",
            )


def text_of(item: Pass) -> tuple[str, tuple[tuple[str, float], ...]]:
    """What a pass's text depends on: its prompt, and the LoRAs of the text towers."""
    texts = tuple((one.name, one.text) for one in item.weights.adapters())
    return item.condition.prompt or "", texts


def layers_of(plan: Plan, which: str) -> dict[str, dict[int, float]]:
    """mask → pass → coefficient, of the sum or of the reference, at the plan's one step."""
    layers: dict[str, dict[int, float]] = {EVERYWHERE: {}}
    for index, item in enumerate(plan.passes):
        for mask, a in (item.layers() if which == "sum" else item.reference).items():
            if a[0]:
                layers.setdefault(mask, {})[index] = a[0]
    return layers


def set_adapters(tower: Any, scales: Mapping[str, float]) -> None:
    """Turn a text tower's LoRAs on at these scales."""
    from diffusers.utils.peft_utils import set_weights_and_activate_adapters

    set_weights_and_activate_adapters(tower, list(scales), list(scales.values()))


def map_of(mask: str, like: Tensor, size: tuple[int, int]) -> Tensor:
    """A mask at the size of predictions ``like``, (1, 1, h, w), or (1, h·w, 1) of packed latents.

    Args:
        size: width and height of the picture, whose shape packed latents do not show; 0: a square.
    """
    if like.ndim == 4:
        wide, high = like.shape[3], like.shape[2]
        shape: tuple[int, ...] = (1, 1, high, wide)
    else:
        ratio = size[0] / size[1] if all(size) else 1.0
        high = max(1, round((like.shape[1] / ratio) ** 0.5))
        wide = like.shape[1] // high
        shape = (1, wide * high, 1)
    pixels = images.coverage(images.resolve_mask(mask), (wide, high))
    return torch.from_numpy(pixels).reshape(shape).to(like)
