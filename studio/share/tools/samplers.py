"""Other tools' samplers and noise schedules by name, through the studio's own tables."""

from __future__ import annotations

from studio.preset import Sampler
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.schedulers import AUTOMATIC, SCHEDULERS, letters, named

_PLAIN = ("", "automatic", "native", "none", "default")
_LONGEST = 80  # of a name; what is longer is none
_PREFIXES = ("sample", "k")  # of k-diffusion's functions, of InvokeAI's older names


def read_sampler(name: str, schedule: str, notes: list[str]) -> dict[str, str]:
    """The fields of a preset's sampler that a tool's names amount to; what differs is noted.

    A schedule may stand in the sampler's name, as in older web UIs: ``DPM++ 2M Karras``.
    """
    plain, within = _apart(name[:_LONGEST])
    mapped, exact = _called(plain) or (Sampler().scheduler, False)
    if not exact:
        notes.append(f"sampler.scheduler: {name[:_LONGEST]!r} became {SCHEDULERS[mapped].title}")
    fields = {"scheduler": mapped}
    wanted = within or _schedule(schedule, plain)
    given = (within or schedule)[:_LONGEST]
    if wanted is None:
        notes.append(f"sampler.schedule: the noise schedule {given!r} is not known and left out")
    elif wanted not in SCHEDULERS[mapped].takes(False):
        title = SCHEDULERS[mapped].title
        notes.append(f"sampler.schedule: {title} takes no noise schedule {given!r}; it is left out")
    elif wanted != AUTOMATIC:
        fields["schedule"] = wanted
    return fields


def is_sampler(name: str) -> bool:
    """Whether there is one that another tool calls so, or one of its kind."""
    return _called(_apart(name[:_LONGEST])[0]) is not None


def _called(plain: str) -> tuple[str, bool] | None:
    return named(plain) or next((one for one in map(named, _shorter(plain)) if one), None)


def _apart(name: str) -> tuple[str, str]:
    """A sampler's name without the schedule at its end, and that."""
    if name.endswith("_k"):  # InvokeAI's
        return name[:-2], "karras"
    words = name.split()
    for schedule in ("karras", "exponential"):
        if len(words) > 1 and words[-1].lower() == schedule:
            return " ".join(words[:-1]), schedule
    return name, ""


def _shorter(name: str) -> list[str]:
    plain = letters(name)
    return [plain.removeprefix(prefix) for prefix in _PREFIXES if plain.startswith(prefix)]


def _schedule(text: str, sampler: str) -> str | None:
    """The studio's name of a schedule; ``None`` for one that it does not have."""
    wanted = letters(text[:_LONGEST])
    if wanted in (*_PLAIN, letters(sampler)):
        return AUTOMATIC
    for name, kind in NOISE_SCHEDULES.items():
        names = (name, kind.title, kind.a1111, kind.comfyui, *kind.also)
        if wanted in {letters(one) for one in names}:
            return name
    return None
