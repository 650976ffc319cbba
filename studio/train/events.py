"""What a training reports while it runs, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Note:
    """One line that the person should read: what was skipped, converted or assumed."""

    text: str


@dataclass(frozen=True)
class TrainProgress:
    """How far it is. ``step`` counts finished steps; times in seconds; ``stage`` says what goes on."""

    step: int
    steps: int
    seconds: float
    seconds_left: float
    stage: str = "training"


@dataclass(frozen=True)
class Losses:
    """Of one step, means over its whole batch; ``None`` where not measured.

    ``total`` is what was minimised: ``mse`` (with the prior-preservation term where there is one)
    plus the weighted ``dd`` and ``pd``. ``denoising`` and ``prior`` are the two discrepancies of
    ACCORD, Eq. 5, in the unit of their loss. ``dd_share`` and ``pd_share`` are the norms of the
    weighted losses' gradients as parts of the error's (``mse``); measured now and then.
    """

    step: int
    total: float
    mse: float
    dd: float | None = None
    pd: float | None = None
    denoising: float | None = None
    prior: float | None = None
    dd_share: float | None = None
    pd_share: float | None = None


@dataclass(frozen=True)
class Samples:
    """Pictures of the network as it is after ``step``, one per prompt, at ``weight`` and ``omega``."""

    step: int
    prompts: tuple[str, ...]
    images: tuple[Image.Image, ...]
    weight: float
    omega: float


@dataclass(frozen=True)
class Saved:
    """A checkpoint from which training can go on."""

    step: int
    path: Path


@dataclass(frozen=True)
class Finished:
    """The model is in the library under ``id``."""

    id: str
    path: Path
    steps: int
    seconds: float


TrainEvent = Note | TrainProgress | Losses | Samples | Saved | Finished
