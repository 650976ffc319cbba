"""How far a training is, in words."""

from __future__ import annotations

from studio.train.config import TrainConfig


def progress(step: int, steps: int, left: float, stage: str) -> str:
    """One line while it runs; ``left``: seconds."""
    if stage != "training":
        return f"{stage[0].upper()}{stage[1:]} …"
    minutes, seconds = divmod(round(left), 60)
    return f"Step {step} of {steps} · {f'{minutes} min ' if minutes else ''}{seconds} s left"


def step_of(config: TrainConfig, step: int) -> str:
    """A step with how many there are to be, where it is steps that end it and not minutes."""
    return f"step {step}" if config.minutes else f"step {step} of {config.steps}"


def took(seconds: float, resumed: bool) -> str:
    """What it took; one that was gone on with counts no more than that."""
    return f"{seconds:.0f} s since it went on" if resumed else f"{seconds:.0f} s"
