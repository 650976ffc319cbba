"""The null-text concept network: pictures alone, no text (GCFG, Sec. 4.3 and Appendix D)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.train.adaptation import Adaptation
from studio.train.method import METHODS, Materials, Method

if TYPE_CHECKING:
    from studio.train.base import Base
    from studio.train.settings import TrainConfig


class Concept(Adaptation):
    """The null-text network, all of it."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        from studio.engine.networks.null_text import null_text_unet
        from studio.train.trainee import Trainee

        nothing = base.reader()([""], {})
        network: Any = null_text_unet(
            base.network,
            nothing.states.to(base.device),
            config.null_text,
            materials.samples,
            None if nothing.pooled is None else nothing.pooled.to(base.device),
            nothing.factor,
        )
        network.requires_grad_(True).train()
        if config.gradient_checkpointing:
            network.body.enable_gradient_checkpointing()
        self.network, self.base = network, base
        self.trainee = Trainee(network, base.family)

    def save(self, folder: Path) -> None:
        """As a network of diffusers' own layout, beside what it predicts and on which noise."""
        self.network.save_pretrained(folder)
        config = self.base.family.scheduler_config(self.base.entry)
        path = folder / "scheduler" / "scheduler_config.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(dict(config), indent=2) + "\n", encoding="utf-8")


METHODS.register(
    "concept",
    Method(
        title="Concept network (pictures alone)",
        trains="a U-Net without text, all of it, from pictures alone",
        files="a network whose cross-attentions are constants",
        kind="concept",
        build=Concept,
        settings=frozenset({"null_text"}),
        defaults={"rate": 1e-5, "batch": 4, "accumulation": 8, "steps": 5000, "ema": 0.9999},
        small={"rate": 4e-4, "batch": 32, "accumulation": 1, "steps": 1500, "ema": 0.995},
        fits=lambda family: family.concepts and family.part == "unet",
        losses=frozenset(),
        without_text="a concept network has no text, so there is nothing to decouple or preserve",
        whole=True,
        place=90,
    ),
)
