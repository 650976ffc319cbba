"""A training method from outside the studio: biases alone (BitFit), saved as a fine-tune."""

from __future__ import annotations

from studio.train.adaptation import without_word
from studio.train.base import Base
from studio.train.config import TrainConfig
from studio.train.method import METHODS, Materials, Method
from studio.train.methods.dreambooth import DreamBooth


class Biases(DreamBooth):
    """The network's biases; everything else stays as it is."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        self.base = base
        for name, parameter in base.network.named_parameters():
            parameter.requires_grad_(name.endswith(".bias"))
        base.network.train()
        self.trainee = without_word(config, base)


def register() -> None:
    """What the package's entry point calls."""
    METHODS.register(
        "biases",
        Method(
            title="Biases",
            trains="the biases of the network",
            files="a whole pipeline",
            kind="finetune",
            build=Biases,
            small={"rate": 1e-3, "batch": 2, "steps": 50},
            losses=frozenset({"ddloss", "prior_weight"}),
            whole=True,
        ),
    )
