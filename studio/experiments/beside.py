"""What scores need besides a picture: how far its run drifted, the map that it was to follow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        kinds: of control maps that scores read; those of the presets' first controls of each, or of
            their first ones of all, lie in ``folder``, once each.
        roots: folders that relative control pictures may lie in.
    """

    folder: Path = Path()
    drift: bool = False
    kinds: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    _maps: dict[tuple[str, int, int], bytes] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, names: Sequence[str], folder: Path, roots: Sequence[Path]) -> Beside:
        """What these scores need; one that there is not needs nothing."""
        from studio.metrics import METRICS

        known = [METRICS[name] for name in names if name in METRICS]
        needs = {need for metric in known for need in metric.needs}
        kinds = {metric.reads: None for metric in known if "controls" in metric.needs}
        return cls(folder, "drifts" in needs, tuple(kinds), tuple(roots))

    def kept(self, path: Path) -> bool:
        """Whether a picture is there, with all that belongs beside it."""
        return path.exists() and (not self.drift or drift_file(path).exists())

    def awaited(self, scored: Scored, presets: Sequence[Preset]) -> Scored:
        """``scored`` for a check before the pictures are made: their drifts are not known yet.

        Raises:
            StudioError: a control picture or its preprocessor's weights are not here.
        """
        drifts = [UNKNOWN] * len(presets) if self.drift else ()
        return replace(scored, drifts=drifts, **self._shown(presets, write=False))

    def measured(self, scored: Scored, presets: Sequence[Preset]) -> Scored:
        """``scored`` with what belongs to its pictures, which ``presets`` made."""
        drifts = [read_drift(path) for path in scored.images] if self.drift else ()
        return replace(scored, drifts=drifts, **self._shown(presets, write=True))

    def _shown(self, presets: Sequence[Preset], write: bool) -> dict[str, Any]:
        """The maps of each kind; none at all where a preset has no control."""
        found = {kind: [self._map_of(one, kind, write) for one in presets] for kind in self.kinds}
        maps = {
            kind: whole
            for kind, paths in found.items()
            if len(whole := [path for path in paths if path]) == len(presets)
        }
        first = maps.get("", next(iter(maps.values()), []))
        return {"controls": first, "maps": maps}

    def _map_of(self, preset: Preset, kind: str, write: bool) -> Path | None:
        """The map of the first control of that kind, of the first one where there is none of it."""
        from studio import images
        from studio.preprocessors.control_map import prepare

        controls = [
            (f"rows.{index}.{field}.image", control)
            for index, row in preset.active_rows()
            for field, control in row.all_controls.items()
        ]
        if not controls:
            return None
        name, control = next((one for one in controls if one[1].type == kind), controls[0])
        picture = images.resolve(control.image, self.roots, field=name)
        size = (preset.sampler.width or picture.width, preset.sampler.height or picture.height)
        key = (control.model_dump_json(), *size)
        if key not in self._maps:
            self._maps[key] = images.png_bytes(prepare(control, picture, size))
        data = self._maps[key]
        path = self.folder / f"control-{hashlib.sha256(data).hexdigest()[:12]}.png"
        if write and not path.exists():
            write_atomically(path, data)
        return path


def drift_file(path: Path) -> Path:
    """Where a picture's drift is kept."""
    return path.with_suffix(".json")


def read_drift(path: Path) -> float:
    """What was kept beside a picture; NaN where its run had nothing to measure."""
    found = json.loads(drift_file(path).read_text(encoding="utf-8"))["drift"]
    return UNKNOWN if found is None else float(found)
