"""What is searched, checked before a picture is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.experiments.asked import Request, requests
from studio.experiments.beside import Beside
from studio.files import write_atomically
from studio.metrics import METRICS, Scored
from studio.metrics.intervals import FEWEST
from studio.preset import Preset
from studio.preset.fields import with_fields
from studio.preset.ranges import Range

LEAST_POINTS = 3

Values = dict[str, Any]


@dataclass(frozen=True)
class Search:
    """What is searched.

    Args:
        preset: the preset that is varied.
        ranges: its fields and what they may be.
        metrics: the scores that are traded against each other, by name.
        budget: pictures in all.
        out: the folder of pictures and record.
        scored: what the scores need besides pictures: references, networks.
        prompts: texts to ask for; the preset's own where there is none.
        seeds: of every point alike.
        guided: whether what was measured decides what comes next; else settings are spread evenly.
        beside: what is kept beside the pictures for the scores.
    """

    preset: Preset
    ranges: tuple[Range, ...]
    metrics: tuple[str, ...]
    budget: int
    out: Path
    scored: Scored
    prompts: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2, 3)
    guided: bool = True
    beside: Beside = field(default_factory=Beside)

    @property
    def signs(self) -> dict[str, int]:
        """Score → 1 where higher is better, −1 where lower is."""
        return {name: -1 if METRICS[name].better == "lower" else 1 for name in self.metrics}

    def with_values(self, values: Values) -> Preset:
        """The preset at one setting."""
        return with_fields(self.preset, list(values.items()))

    def requests(self, values: Values) -> list[Request]:
        """The pictures of one setting, in the order in which they are made."""
        return requests(self.with_values(values), list(self.prompts), list(self.seeds))

    def settings(self) -> dict[str, Any]:
        """What makes a search the same one; the budget may grow."""
        ranges = [
            {"field": r.field, "choices": list(r.choices)}
            if r.choices
            else {"field": r.field, "low": r.low, "high": r.high}
            for r in self.ranges
        ]
        return {
            "preset": json.loads(self.preset.to_json()),
            "over": ranges,
            "for": list(self.metrics),
            "prompts": list(self.prompts),
            "seeds": list(self.seeds),
            "clip": self.scored.backbones.clip,
            "vision": self.scored.backbones.vision,
            "references": [hashlib.sha256(p.read_bytes()).hexdigest() for p in self._references()],
            **(self.scored.cut.settings() if self.scored.cut else {}),
        }

    def _references(self) -> Sequence[Path]:
        needed = any("references" in METRICS[name].needs for name in self.metrics)
        return self.scored.references if needed else ()


def check(search: Search) -> None:
    """Raise :class:`StudioError` where the search cannot begin, before a picture is made."""
    if not search.metrics:
        raise StudioError("name at least one score, such as clip-t", field="--for")
    if len(set(search.metrics)) < len(search.metrics):
        raise StudioError("names a score twice", field="--for")
    fields = [one.field for one in search.ranges]
    if not fields or len(set(fields)) < len(fields):
        raise StudioError("give each field once, as FIELD=LOW:HIGH", field="--over")
    asked = search.requests({})
    for name in search.metrics:
        metric = METRICS.require(name, "--for")
        if not metric.better:
            raise StudioError(f"{name} is neither better high nor low", field="--for")
        texts = [one.prompt for one in asked if one.prompt]
        scored = replace(search.scored, images=[Path()] * len(asked), prompts=texts)
        search.beside.awaited(scored, [one.preset for one in asked]).check(metric)
        scored.check_networks(metric)
        if not metric.each and len(asked) < FEWEST:
            raise StudioError(
                f"{name} is a score of a set: a setting needs {FEWEST} pictures (prompts times "
                f"seeds), it has {len(asked)}",
                field="--for",
            )
    least = LEAST_POINTS * len(asked)
    if search.budget < least:
        raise StudioError(
            f"{search.budget} pictures, and a setting takes {len(asked)} (prompts times seeds): "
            f"at least {least}, or fewer prompts or seeds",
            field="--budget",
        )


def begin(search: Search) -> None:
    """Keep what is searched, or check that it is what was begun in this folder.

    Raises:
        StudioError: the folder holds another search.
    """
    settings, path = search.settings(), search.out / "settings.json"
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            before = None
        if before != json.loads(json.dumps(settings)):
            raise StudioError(
                f"{search.out} holds another search; take a new folder", field="--out"
            )
    search.out.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(settings, ensure_ascii=False, indent=1).encode())
