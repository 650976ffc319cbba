"""What of a preset its scheduler does not take, said by the field."""

from __future__ import annotations

from studio.errors import BadPreset
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.refinements import Refine, path_of
from studio.preset.sampler import Sampler
from studio.preset.schedulers import SCHEDULERS, those, titled

# CFG++ replaces the noise that one step puts back; multistep solvers mix in earlier predictions.
SINGLE_STEP = those(lambda one: one.single_step)


def check_scheduler(sampler: Sampler, refine: Refine) -> None:
    """See that the scheduler takes what is asked of it.

    Raises:
        BadPreset: a refinement, an eta or a noise schedule that it has no place for.
    """
    chosen = SCHEDULERS[sampler.scheduler]
    got = titled(SCHEDULERS, sampler.scheduler)
    for one in refine.chosen:
        if one.record.single_step and not chosen.single_step:
            raise BadPreset(
                "is defined for schedulers that use no earlier prediction "
                f"({titled(SCHEDULERS, *SINGLE_STEP)}), got {got}",
                field=path_of(one.name),
            )
    if sampler.eta is not None and chosen.eta is None:
        raise BadPreset(
            "is for schedulers whose noise can be chosen "
            f"({titled(SCHEDULERS, *those(lambda one: one.eta is not None))}), got {got}",
            field="sampler.eta",
        )
    if sampler.schedule not in {*chosen.takes(False), *chosen.takes(True)}:
        raise BadPreset(
            f"{got} takes {titled(NOISE_SCHEDULES, *chosen.takes(not chosen.kind))}, "
            f"got {titled(NOISE_SCHEDULES, sampler.schedule)}",
            field="sampler.schedule",
        )
