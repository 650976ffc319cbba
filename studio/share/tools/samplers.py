"""Other tools' samplers and noise schedules by name."""

from __future__ import annotations

import re

SCHEDULERS = {  # by the letters of a name, the longest match first
    "eulerancestral": "euler_a",
    "eulera": "euler_a",
    "euler": "euler",
    "ddim": "ddim",
    "unipc": "unipc",
    "dpmpp2m": "dpm++",
    "dpm++2m": "dpm++",
    "dpm": "dpm++",
}
EXACT = ("euler", "ddim", "unipc", "dpmpp2m", "dpm++2m")
_PLAIN = ("", "automatic", "normal", "native", "none", "default")


def read_sampler(name: str, schedule: str, notes: list[str]) -> dict[str, str]:
    """The fields of a preset's sampler that a tool's names amount to; what differs is noted."""
    letters = re.sub(r"[^a-z0-9+]", "", name.lower()[:80]).removeprefix("k")
    key = next((key for key in SCHEDULERS if letters.startswith(key)), "")
    mapped = SCHEDULERS.get(key, "dpm++")
    exact = key.startswith(EXACT) and letters in (key, "euler", "eulera", "eulerancestral")
    if not exact:
        notes.append(f"sampler.scheduler: {name[:80]!r} became {mapped!r}")
    if schedule.lower() not in (*_PLAIN, letters):
        notes.append(f"sampler.scheduler: the noise schedule {schedule[:80]!r} is left out")
    return {"scheduler": mapped}
