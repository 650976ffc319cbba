"""Textual inversion: the word's vectors alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.train.adaptation import Adaptation, save_word, with_word
from studio.train.method import METHODS, Materials, Method

if TYPE_CHECKING:
    from studio.train.base import Base
    from studio.train.settings import TrainConfig


class Inversion(Adaptation):
    """The word's vectors alone."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        del materials
        self.trainee = with_word(config, base)

    def save(self, folder: Path) -> None:
        """diffusers' textual-inversion file."""
        save_word(self.trainee, folder)


METHODS.register(
    "ti",
    Method(
        title="Textual inversion",
        trains="the word's vectors alone (`--vectors`)",
        files="`learned_embeds.safetensors`",
        kind="embedding",
        build=Inversion,
        settings=frozenset({"vectors", "token_rate"}),
        defaults={
            "token_rate": 5e-4,
            "steps": 1000,
            "weight_decay": 0.0,
            "template": "a {word}",  # the word stands for the whole target
        },
        small={"token_rate": 5e-3, "batch": 8, "steps": 300, "vectors": 2},
        losses=frozenset({"ddloss", "pdloss"}),
        learns_word=True,
        place=30,
    ),
)
