"""LoRA: low-rank factors on the network's attention (Steering Guidance, Supplement A)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.train.adaptation import Adaptation, pipeline_of, without_word
from studio.train.method import METHODS, Materials, Method

if TYPE_CHECKING:
    from torch import Tensor

    from studio.train.base import Base
    from studio.train.settings import TrainConfig

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
MLP = ("ff.net.0.proj", "ff.net.2")
DEFAULTS = {"rate": 1e-4, "rank": 4, "steps": 500}
SMALL = {"rate": 2e-3, "batch": 8, "rank": 8, "steps": 300, "targets": "attention+mlp"}


def add_factors(config: TrainConfig, base: Base) -> None:
    """Low-rank factors on the base's network."""
    put_factors(base.network, config.rank, config.targets)


def put_factors(network: Any, rank: int, targets: str) -> None:
    """peft's low-rank factors on a network, ``ΔW = B·A`` at scale 1; they alone train.

    Args:
        targets: as the setting says it: ``attention`` or ``attention+mlp``.
    """
    from peft import LoraConfig

    network.add_adapter(
        LoraConfig(
            r=rank,
            lora_alpha=rank,
            init_lora_weights="gaussian",
            target_modules=[*ATTENTION, *(MLP if targets == "attention+mlp" else ())],
        )
    )


def factors_of(network: Any, part: str) -> dict[str, Tensor]:
    """A network's factors in float32 by the names of diffusers' files; ``part``: ``unet`` or another."""
    from diffusers.utils.state_dict_utils import convert_state_dict_to_diffusers
    from peft.utils import get_peft_model_state_dict

    state = get_peft_model_state_dict(network)
    if part == "unet":
        state = convert_state_dict_to_diffusers(state)
    return {name: value.float().cpu().contiguous() for name, value in state.items()}


def save_factors(base: Base, folder: Path) -> None:
    """diffusers' LoRA file of the base's family."""
    from diffusers.training_utils import _collate_lora_metadata

    network: Any = base.network
    part = base.family.record.part
    layers = {f"{part}_lora_layers": factors_of(network, part)}
    pipeline_of(base).save_lora_weights(folder, **layers, **_collate_lora_metadata({part: network}))


class LoRA(Adaptation):
    """Low-rank factors on the network's attention."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        del materials
        self.base = base
        add_factors(config, base)
        self.trainee = without_word(config, base)

    def save(self, folder: Path) -> None:
        """diffusers' LoRA file."""
        save_factors(self.base, folder)


METHODS.register(
    "lora",
    Method(
        title="LoRA",
        trains="low-rank factors on the network's attention (`--rank`, `--targets`)",
        files="`pytorch_lora_weights.safetensors`",
        kind="lora",
        build=LoRA,
        settings=frozenset({"rank", "targets"}),
        defaults=DEFAULTS,
        small=SMALL,
        fits=lambda family: True,
        losses=frozenset({"ddloss", "prior_weight"}),
        place=10,
    ),
)
