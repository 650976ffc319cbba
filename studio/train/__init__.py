"""Training: concept networks and personalisation, as one loop that yields events.

from studio.train import resolve, train
for event in train(resolve({"method": "lora", "images": "photos", ...}, Library())):
    ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.train.config import TrainConfig, resolve
from studio.train.method import METHODS, Method, personal

if TYPE_CHECKING:
    from studio.train.loop import train

    PERSONAL: tuple[str, ...]

__all__ = ["METHODS", "PERSONAL", "Method", "TrainConfig", "personal", "resolve", "train"]


def __getattr__(name: str) -> Any:
    """``train`` brings torch with it and is imported when it is first asked for."""
    if name == "PERSONAL":
        return personal()
    if name == "train":
        from studio.train.loop import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
