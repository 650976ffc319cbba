"""What a generation reports while it runs, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.preset import Preset
from studio.preset.effort import allowed_error

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Progress:
    """After each step. ``step`` counts from 1; times in seconds; ``stage`` says what goes on.

    ``round``: which it is, from 1, of how many, where a start picture goes through several times.
    ``seconds``: of the whole batch so far, without loading; :class:`Done` has an image's part of it.
    """

    step: int
    steps: int
    seconds: float
    seconds_left: float
    forwards: int
    stage: str = "denoising"
    round: tuple[int, int] | None = None


@dataclass(frozen=True)
class Preview:
    """A cheap picture of the predicted result after ``step``: one RGB image per batch item."""

    step: int
    images: tuple[Image.Image, ...]


@dataclass(frozen=True)
class RowShare:
    """How much one row moved the prediction, step by step, from what was computed anyway.

    ``norm``: root mean square of the row's term ``w·(ε_i − r_i)``, a difference of noises whatever
    the networks predict; ``cosine``: its cosine with the sum of all terms that were measured.
    ``None`` where the row took no part or its passes were cancelled; ``missing``: the steps, from 0,
    at which it is the latter. Norms and cosines are over all images of a batch.
    """

    row: int
    norm: tuple[float | None, ...]
    cosine: tuple[float | None, ...]
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class Drift:
    """How far weights ``θ′`` lead from the prior without a prompt, step by step.

    ``norm``: root mean square of ``ε_θ′(z, φ) − ε_θ(z, φ)``, noises whatever the networks predict,
    over all images of a batch; ``None`` where not both passes ran.
    """

    weights: str
    norm: tuple[float | None, ...]


@dataclass(frozen=True)
class Explanation:
    """What a run pulled towards at a few moments, as pictures of finished latents ``x₀``.

    ``moments``: evaluations of the networks, from 1, of ``steps``. One picture for each of them in
    ``base`` (the base term ``ε_0``), in ``rows`` by row (its own prediction ``ε_i``) and in ``whole``
    (the guided sum); ``None`` where the row took no part or its passes were cancelled.
    """

    moments: tuple[int, ...]
    steps: int
    base: tuple[Image.Image | None, ...]
    rows: Mapping[int, tuple[Image.Image | None, ...]]
    whole: tuple[Image.Image | None, ...]


@dataclass(frozen=True)
class Done:
    """One finished image. ``preset`` makes this image again: its seed, count 1.

    ``forwards``: network sample-evaluations that this image took; ``seconds``: wall clock of its
    batch divided by the batch's images. ``notes``: what of the models' files was left out.
    ``saved``: evaluations of the plan that the preset's effort left out; ``estimated_error``: what
    that is expected to have changed in the finished latent, as a root mean square. ``explanation``:
    where it was asked for.
    """

    image: Image.Image
    seed: int
    preset: Preset
    forwards: int
    seconds: float = 0.0
    index: int = 0
    shares: tuple[RowShare, ...] = field(default=())
    drift: tuple[Drift, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())
    saved: int = 0
    estimated_error: float = 0.0
    explanation: Explanation | None = None


@dataclass(frozen=True)
class FirstPass:
    """Between the passes of one run: the picture as far as it is, which that of the next takes the place
    of. It is the result where the next does not come to its end."""

    done: Done


def kept_of(preset: Preset) -> str:
    """What is said of such a picture that is a run's result."""
    further = preset.detail.on or (preset.init is not None and preset.init.loops > 1)
    return "the picture is kept as far as it is" if further else "the first pass is kept"


Event = Progress | Preview | FirstPass | Done


def placed(event: Event, index: int) -> Event:
    """An event of one of several images that are made one after the other; pictures say which."""
    if isinstance(event, FirstPass):
        return FirstPass(replace(event.done, index=index))
    return replace(event, index=index) if isinstance(event, Done) else event


def mean_drift(done: Done) -> float | None:
    """An image's drift averaged over steps and weights; ``None`` where none was measured."""
    norms = [norm for drift in done.drift for norm in drift.norm if norm is not None]
    return sum(norms) / len(norms) if norms else None


def image_line(done: Done, path: Path) -> dict[str, Any]:
    """What is said of a finished image in a line of JSON."""
    return {
        "path": str(path),
        "seed": done.seed,
        "seconds": round(done.seconds, 3),
        "forwards": done.forwards,
        **_effort(done),
    }


def _effort(done: Done) -> dict[str, Any]:
    """What an effort below exact has saved, and the error that is to be expected for it."""
    if not allowed_error(done.preset.sampler.effort):
        return {}
    return {"saved": done.saved, "estimated_error": float(f"{done.estimated_error:.3g}")}
