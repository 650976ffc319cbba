"""Orthogonal fine-tuning of the attention projections, through peft."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.train.adaptation import Adaptation, checkpointing
from studio.train.method import METHODS, Materials, Method
from studio.train.methods.lora import ATTENTION

if TYPE_CHECKING:
    from studio.train.base import Base
    from studio.train.settings import TrainConfig

LARGEST_BLOCK = 32


class OFT(Adaptation):
    """Orthogonal factors of the attention projections."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        from peft import OFTConfig, get_peft_model
        from torch import nn

        from studio.train.trainee import Trainee

        del materials
        widths = {
            module.in_features
            for name, module in base.network.named_modules()
            if isinstance(module, nn.Linear) and name.endswith(ATTENTION)
        }
        block = min(LARGEST_BLOCK, math.gcd(*widths))
        checkpointing(config, base.network)
        oft = OFTConfig(r=0, oft_block_size=block, target_modules=list(ATTENTION))
        self.model: Any = get_peft_model(base.network, oft)
        self.model.peft_config["default"].base_model_name_or_path = config.base
        self.trainee = Trainee(self.model, base.family, base.reader())

    def save(self, folder: Path) -> None:
        """peft's adapter."""
        self.model.save_pretrained(folder, safe_serialization=True)


METHODS.register(
    "oft",
    Method(
        title="OFT",
        trains="orthogonal factors of the attention projections",
        files="peft's `adapter_model.safetensors`",
        kind="lora",
        build=OFT,
        defaults={"rate": 6e-5, "steps": 1000, "weight_decay": 0.0},
        small={"rate": 2e-3, "batch": 8, "steps": 300},
        losses=frozenset({"ddloss", "prior_weight"}),
        place=60,
    ),
)
