"""From a plan's passes to what the denoiser runs: every network, prompt and image once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from studio.engine.adapters.lora import check_fits
from studio.engine.controls import Guide
from studio.engine.denoiser import PreparedPass
from studio.engine.families import Family, Text
from studio.engine.inputs.frame import Frame
from studio.engine.inputs.memory_check import field_of, needs_of
from studio.engine.inputs.row_images import Edited
from studio.engine.inputs.texts import Texts
from studio.engine.inputs.trained_as import predictions
from studio.engine.networks import memory
from studio.engine.networks.loader import Loader
from studio.engine.perturbed import blind_layers
from studio.errors import IncompatibleModels, StudioError
from studio.library.control_networks import CONTROL_NETWORKS, PLAIN
from studio.plan import Pass, Plan, Weights
from studio.plan.row_models import check_base
from studio.preset import Control, Preset
from studio.preset.preprocessors import PREPROCESSORS
from studio.preset.rows import control_field


def prepare_passes(
    preset: Preset,
    plan: Plan,
    loader: Loader,
    image_roots: Sequence[Path] = (),
    base_config: Mapping[str, Any] | None = None,
    frame: Frame | None = None,
) -> list[PreparedPass]:
    """Load, encode and place everything the plan names; networks that do not fit take turns.

    ``base_config``: the base's scheduler config, where it has been read already. ``frame``: the part
    of a picture that is made, of which control images and pictures to edit are then too.

    Returns:
        one prepared pass per pass of the plan.

    Raises:
        StudioError: a model, prompt or control image that cannot be used; names the row's field.
        OutOfMemory: not even one network at a time fits; before anything is loaded.
    """
    kinds = predictions(plan, loader, base_config)
    streamed = needs_of(preset, plan, loader).streamed(loader.registry.budget)
    texts = Texts(plan, loader, image_roots, preset.clip_skip)
    guides = _Guides(preset, loader, image_roots, frame)
    pictures = Edited(preset, loader, image_roots, frame)
    prepared = []
    for item in plan.passes:
        opened = _opener(item.weights, loader, streamed)
        with _naming(item):
            adapters = tuple(
                (loader.adapter(one.name, one.on, preset.base), one.scale)
                for one in item.weights.adapters()
            )
        text = texts.encode(item, [lora for lora, _ in adapters])
        with _naming(item), opened() as network:
            _check_width(loader.family(item.weights.model), network, text, item.weights.model)
            for lora, _ in adapters:
                check_fits(network, lora.unet, lora.name)
            position_bytes = memory.network_bytes(network, 1)
            paints = loader.family(item.weights.model).paints(network)
            _check_middle(item, network)
            text = _guided(text, preset, loader.family(item.weights.model), network)
        adapters = tuple((lora, scale) for lora, scale in adapters if scale != 0)
        prepared.append(
            PreparedPass(
                group=(loader.network_key(item.weights), item.condition.perturbed),
                network=opened,
                family=loader.family(item.weights.model),
                text=text,
                prediction=kinds[item.weights.model],
                adapters=adapters,
                guides=guides.of(item),
                picture=pictures.of(item),
                paints=paints,
                seen=pictures.seen(item),
                perturbed=item.condition.perturbed,
                position_bytes=position_bytes,
            )
        )
    return prepared


def left_out(passes: Sequence[PreparedPass]) -> tuple[str, ...]:
    """What of the adapters' files belongs to nothing in the base, each with its name."""
    notes = [
        f"{lora.name}: {note}" for p in passes for lora, _ in p.adapters for note in lora.notes
    ]
    return tuple(dict.fromkeys(notes))


@contextmanager
def _naming(item: Pass) -> Iterator[None]:
    """Errors inside name the field that the pass's model comes from."""
    try:
        yield
    except StudioError as error:
        if error.field == "omega":  # not a row's fault alone
            raise
        message = f"{error.field}: {error.message}" if error.field else error.message
        raise type(error)(message, field=field_of(item)) from error


def _guided(text: Text | None, preset: Preset, family: Family, network: nn.Module) -> Text | None:
    """A pass's text with the distilled guidance that the preset asks for."""
    if text is None or preset.distilled_guidance is None:
        return text
    if not family.reads_guidance(network):
        raise IncompatibleModels(
            "reads no distilled guidance, which the preset sets; leave distilled_guidance empty"
        )
    return replace(text, distilled=preset.distilled_guidance)


def _check_middle(item: Pass, network: nn.Module) -> None:
    """Raise :class:`IncompatibleModels` where there is no attention that could be perturbed."""
    if item.condition.perturbed and not blind_layers(network):
        raise IncompatibleModels(
            f"{item.weights.model!r} has no self-attention in its middle; choose another reference"
        )


def _check_width(family: Family, network: nn.Module, text: Text | None, name: str) -> None:
    """Raise :class:`IncompatibleModels` where a text encoder does not belong to the network."""
    if text is None or text.states.shape[-1] == family.text_width(network):
        return
    raise IncompatibleModels(
        f"{name!r} reads text {family.text_width(network)} wide, its text encoder gives "
        f"{text.states.shape[-1]}"
    )


def _opener(
    weights: Weights, loader: Loader, streamed: bool
) -> Callable[[], AbstractContextManager[nn.Module]]:
    """How the denoiser gets a network: at once where all fit, else fetched for each batch."""
    if streamed:
        return lambda: loader.at_hand(weights)
    network: list[nn.Module] = []

    def opened() -> AbstractContextManager[nn.Module]:
        if not network:
            network.append(loader.network(weights))
        return nullcontext(network[0])

    return opened


class _Guides:
    """Prepares each control image once, at the preset's size."""

    def __init__(
        self, preset: Preset, loader: Loader, roots: Sequence[Path], frame: Frame | None
    ) -> None:
        self.preset = preset
        self.loader = loader
        self.roots = roots
        self.frame = frame
        self.maps: dict[Control, Tensor] = {}

    def of(self, item: Pass) -> tuple[Guide, ...]:
        where = f"rows.{item.rows[0]}." if item.rows else ""
        return tuple(
            self._guide(control, f"{where}{control_field(at)}")
            for at, control in enumerate(item.condition.controls)
        )

    def _guide(self, control: Control, where: str) -> Guide:
        try:
            name = (
                control.model or self.loader.library.controlnet(self.preset.base, control.type).id
            )
            network, form = self.loader.controlnet(name), self.loader.library[name].form
        except StudioError as error:
            raise type(error)(error.message, field=f"{where}.model") from error
        plain = control.model_copy(update={"strength": 1.0})
        if plain not in self.maps:
            self.maps[plain] = self._map(control, where)
        seen, task = self._as_read(self.maps[plain]), PREPROCESSORS[control.type].union
        by_type = CONTROL_NETWORKS[form or PLAIN].by_type
        return Guide(network, seen, control.strength, form or PLAIN, task if by_type else None)

    def _as_read(self, guide: Tensor) -> Tensor:
        """A map at as many pixels a latent as the base's ControlNets were made for.

        It is another number than the picture's where the preset's autoencoder is not the base's own.
        """
        base, vae = self.preset.base, self.preset.vae
        own = self.loader.library[base].multiple if vae else 1
        made = check_base(self.loader.library, base, vae).multiple if vae else 1
        return resized(guide, own, made).to(self.loader.device)

    def _map(self, control: Control, where: str) -> Tensor:
        from studio import images
        from studio.preprocessors.control_map import prepare

        size = (self.preset.sampler.width or 512, self.preset.sampler.height or 512)
        try:
            seen = images.resolve(control.image, self.roots)
            seen = seen if self.frame is None else self.frame.part(seen)
            entry = repr(PREPROCESSORS[control.type])
            what = (control.type, control.finished, control.low, control.high, entry, size)
            picture = self.loader.maps.of(what, seen, lambda: prepare(control, seen, size))
        except StudioError as error:
            raise type(error)(error.message, field=f"{where}.image") from error
        pixels = torch.from_numpy(np.array(picture.convert("RGB"))).float() / 255
        return pixels.permute(2, 0, 1)[None]


def resized(guide: Tensor, own: int, made: int) -> Tensor:
    """A map (1, 3, h, w) in [0, 1] that has ``made`` pixels a latent, with ``own`` of them."""
    if own == made:
        return guide
    size = [edge * own // made for edge in guide.shape[-2:]]
    return torch.nn.functional.interpolate(guide, size=size, mode="area")
