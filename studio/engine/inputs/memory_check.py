"""Whether a plan's networks fit, by their file headers before a weight is read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch

from studio.engine.denoiser import PreparedPass
from studio.engine.networks import devices, memory
from studio.engine.networks.loader import Loader
from studio.engine.networks.on_disk import weight_bytes
from studio.engine.networks.parts import PARTS
from studio.errors import OutOfMemory, StudioError
from studio.plan import Pass, Plan, Weights
from studio.preset import Preset

ACTIVATIONS = 0.7  # of the free memory, for one batch


@dataclass(frozen=True)
class Needs:
    """Bytes of weights that a plan asks for.

    ``networks``: of each full network, and of those that a blend ``θ_ω`` is made of. ``largest``:
    the most that one group takes at once, a blend together with what it is made of. ``others``:
    text towers, VAE, ControlNets and adapters, which stay for the whole run.
    """

    networks: Mapping[Hashable, int]
    largest: int
    others: int

    def streamed(self, budget: int) -> bool:
        """Whether the networks must take turns; ``False`` when all of them fit at once.

        Raises:
            OutOfMemory: not even one group at a time fits; names the bytes.
        """
        if sum(self.networks.values()) + self.others <= budget:
            return False
        least = self.largest + self.others
        if least > budget:
            raise OutOfMemory(
                f"this plan needs at least {least} bytes of weights at once "
                f"({least / 2**30:.2f} GiB), and {budget} ({budget / 2**30:.2f} GiB) may be "
                "used; choose smaller or fewer models",
                field="rows",
            )
        return True


def needs_of(preset: Preset, plan: Plan, loader: Loader) -> Needs:
    """What ``plan`` needs; models whose size is not known yet (on the hub) count nothing.

    Raises:
        MissingModel: files that have gone; names the row's model.
    """
    networks: dict[Hashable, int] = {}
    largest = 0
    for item in plan.passes:
        weights = item.weights
        sources = [Weights(name) for name, _ in weights.blend]
        if sources:
            sources.append(Weights(weights.model))
        group = [Weights(weights.model, weights.blend), *sources]
        try:
            sizes = {loader.network_key(one): loader.network_bytes(one) for one in group}
        except StudioError as error:
            raise type(error)(error.message, field=field_of(item)) from error
        networks.update(sizes)
        largest = max(largest, sum(sizes.values()))
    return Needs(networks, largest, sum(_others(preset, plan, loader).values()))


def samples_at_once(
    device: torch.device,
    preset: Preset,
    passes: Sequence[PreparedPass],
    shape: tuple[int, int, int],
) -> int:
    """Network samples in one batch; on a CPU no more than its free memory holds.

    Args:
        shape: of one latent: channels, height, width.

    Raises:
        OutOfMemory: not even one sample fits; before the first step.
    """
    most = devices.max_samples(device, preset)
    if device.type != "cpu":
        return most
    one = max(1, *(item.position_bytes for item in passes)) * shape[1] * shape[2]
    free = memory.free_bytes()
    if one > free:
        raise OutOfMemory(
            f"a picture of {preset.sampler.width}x{preset.sampler.height} takes about "
            f"{one / 2**30:.2f} GiB beside the models, and {free / 2**30:.2f} GiB are free; "
            "choose a smaller width and height",
            field="sampler.width",
        )
    return max(1, min(most, int(free * ACTIVATIONS / one)))


def field_of(item: Pass) -> str:
    """The preset's field that a pass's model comes from: of a row that names it, not of one that
    the pass merely serves as a reference."""
    rows = item.own or item.rows
    return f"rows.{rows[0]}.model" if rows else "base"


def _others(preset: Preset, plan: Plan, loader: Loader) -> dict[tuple[str, str, object], int]:
    """Bytes by kind, name and blend (of which there is one more as large as its model)."""
    asked: set[tuple[str, str, object]] = {("vae", preset.vae or preset.base, ())}
    for item in plan.passes:
        if item.condition.prompt is not None:
            reader = loader.text_reader(item.weights, preset.base)
            asked |= {("text", name, ()) for name in (reader.model, *(n for n, _ in reader.blend))}
            asked.add(("text", reader.model, reader.blend))
        asked |= {("adapter", one.name, ()) for one in item.weights.adapters()}
        shown = item.condition.image_prompt
        eyes = [name for name, _ in item.condition.blank] + ([shown.model] if shown else [])
        asked |= {("ip-adapter", name, ()) for name in eyes}
        for control in item.condition.controls:
            with suppress(StudioError):  # preparing the pass says so, with its field
                name = control.model or loader.library.controlnet(preset.base, control.type).id
                asked.add(("controlnet", name, ()))
    return {
        (kind, name, blend): sum(
            weight_bytes(loader.library[name], part, loader.dtype)
            for part in PARTS.get(kind, ("",))
        )
        for kind, name, blend in asked
    }
