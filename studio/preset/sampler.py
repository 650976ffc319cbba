"""How a preset's denoising is integrated, and from which noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StrictBool

from studio.preset.effort import EXACT, EffortField
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.rows import Document, Fraction, named
from studio.preset.schedulers import AUTOMATIC, SCHEDULERS

MAX_SEED = 2**53 - 1  # the largest integer that a browser's JSON keeps exactly

if TYPE_CHECKING:
    Scheduler = str
    Schedule = str
else:
    Scheduler = named(SCHEDULERS)
    Schedule = named(NOISE_SCHEDULES)


class Sampler(Document):
    """How the denoising is integrated. ``seed`` −1 means a new one, chosen when generating.

    ``scheduler`` and ``schedule`` are names of the tables in :mod:`studio.preset.schedulers` and
    :mod:`studio.preset.noise_schedules`. ``eta``: how much fresh noise a scheduler adds that lets
    one choose (``None``: its own amount). Every seed from 0 to 2⁵³ − 1 has noise of its own.
    ``variation_strength`` turns the seed's noise towards that of ``variation_seed``; a batch then
    counts the variation seed up instead of the seed. ``noise``: where it is drawn, ``cpu`` being
    the same on every machine, ``device`` the GPU's own as some tools have it. ``tiles``: makes a larger
    picture than the base's own in overlapping tiles of that size, every pass once in each.
    """

    scheduler: Scheduler = "dpm++"
    schedule: Annotated[
        Schedule,
        Field(description="Where on the noise level the steps lie; each scheduler has some."),
    ] = AUTOMATIC
    steps: Annotated[int, Field(ge=1, le=200, strict=True)] = 25
    eta: Annotated[
        Fraction | None,
        Field(
            description="Fresh noise of DDIM (0 for none, 1 for DDPM's) and TCD; empty: their own."
        ),
    ] = None
    seed: Annotated[int, Field(ge=-1, le=MAX_SEED, strict=True)] = 7
    variation_seed: Annotated[
        int,
        Field(
            ge=-1, le=MAX_SEED, strict=True, description="The seed to vary towards; −1: a new one."
        ),
    ] = -1
    variation_strength: Annotated[
        Fraction,
        Field(
            description="0 is the seed's own picture, 1 the variation seed's; images count the latter."
        ),
    ] = 0.0
    noise: Annotated[
        Literal["cpu", "device"],
        Field(
            description="Where noise is drawn: cpu is the same everywhere, device is the GPU's own."
        ),
    ] = "cpu"
    effort: Annotated[
        EffortField,
        Field(
            description="Whether every row runs at every step, or only where it would change the "
            "picture; a number is the error that is allowed for it."
        ),
    ] = EXACT
    tiles: StrictBool = False
    width: Annotated[int, Field(ge=16, le=4096, strict=True)] | None = None
    height: Annotated[int, Field(ge=16, le=4096, strict=True)] | None = None
    count: Annotated[int, Field(ge=1, le=64, strict=True)] = 1
