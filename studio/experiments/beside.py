"""What scores need besides a picture: how far its run drifted, the map that it was to follow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.files import write_atomically
from studio.preset import Preset

if TYPE_CHECKING:
    from studio.metrics import Scored

UNKNOWN = float("nan")


@dataclass(frozen=True)
class Beside:
    """What is kept beside the pictures of an evaluation, a sweep or a search.

    Args:
        drift: each picture's drift, in a file of its name (:func:`drift_file`).
        controls: the maps of the presets' first control rows, in ``folder``, once each.
        roots: folders that relative control pictures may lie in.
    """

    folder: Path = Path()
    drift: bool = False
    controls: bool = False
    roots: tuple[Path, ...] = ()
    _maps: dict[tuple[str, int, int], bytes] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, names: Sequence[str], folder: Path, roots: Sequence[Path]) -> Beside:
        """What these scores need; one that there is not needs nothing."""
        from studio.metrics import METRICS

        known = [METRICS[name] for name in names if name in METRICS]
        needs = {need for metric in known for need in metric.needs}
        return cls(folder, "drifts" in needs, "controls" in needs, tuple(roots))

    def kept(self, path: Path) -> bool:
        """Whether a picture is there, with all that belongs beside it."""
        return path.exists() and (not self.drift or drift_file(path).exists())

    def awaited(self, scored: Scored, presets: Sequence[Preset]) -> Scored:
        """``scored`` for a check before the pictures are made: their drifts are not known yet.

        Raises:
            StudioError: a control picture or its preprocessor's weights are not here.
        """
        drifts = [UNKNOWN] * len(presets) if self.drift else ()
        return replace(scored, drifts=drifts, controls=self._maps_of(presets, write=False))

    def measured(self, scored: Scored, presets: Sequence[Preset]) -> Scored:
        """``scored`` with what belongs to its pictures, which ``presets`` made."""
        drifts = [read_drift(path) for path in scored.images] if self.drift else ()
        return replace(scored, drifts=drifts, controls=self._maps_of(presets, write=True))

    def _maps_of(self, presets: Sequence[Preset], write: bool) -> list[Path]:
        """The map of each preset; none at all where one has no control row."""
        found = [self._map_of(preset, write) for preset in presets] if self.controls else []
        return [path for path in found if path] if all(found) else []

    def _map_of(self, preset: Preset, write: bool) -> Path | None:
        from studio import images
        from studio.preprocessors.control_map import prepare

        for index, row in preset.active_rows():
            if row.control is None:
                continue
            name = f"rows.{index}.control.image"
            picture = images.resolve(row.control.image, self.roots, field=name)
            size = (preset.sampler.width or picture.width, preset.sampler.height or picture.height)
            key = (row.control.model_dump_json(), *size)
            if key not in self._maps:
                self._maps[key] = images.png_bytes(prepare(row.control, picture, size))
            data = self._maps[key]
            path = self.folder / f"control-{hashlib.sha256(data).hexdigest()[:12]}.png"
            if write and not path.exists():
                write_atomically(path, data)
            return path
        return None


def drift_file(path: Path) -> Path:
    """Where a picture's drift is kept."""
    return path.with_suffix(".json")


def read_drift(path: Path) -> float:
    """What was kept beside a picture; NaN where its run had nothing to measure."""
    found = json.loads(drift_file(path).read_text(encoding="utf-8"))["drift"]
    return UNKNOWN if found is None else float(found)
