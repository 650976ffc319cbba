"""A sweep: the pictures of every cell, kept as they come, scored, as grids, tables and plots.

What a sweep is decides the names of its files, so that one that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from studio.errors import StudioError
from studio.experiments.asked import single, text_of
from studio.experiments.grid import Said, as_written, draw_grid, shrunk
from studio.experiments.making import Makers
from studio.experiments.sweep_table import table_of
from studio.experiments.swept_styles import Axes, data_of, gone, held_before, holding
from studio.files import write_atomically
from studio.images import open_checked
from studio.preset import Preset
from studio.preset.sweep import Axis, Cell, cells, changed, chosen_alike

if TYPE_CHECKING:
    from studio.experiments.beside import Beside
    from studio.metrics import Scored

Line = dict[str, Any]


@dataclass(frozen=True)
class Shot:
    """One picture of a cell, and the file that it has in the sweep's folder."""

    cell: Cell
    seed: int
    name: str
    preset: Preset


@dataclass(frozen=True)
class Sweep:
    """What is swept.

    Args:
        preset: with its seed chosen.
        axes: columns, lines and pages; the latter two may be missing.
        seeds: of every cell; the preset's own where there is none.
        stem: what its files' names begin with.
    """

    preset: Preset
    axes: Axes
    seeds: tuple[int, ...]
    stem: str

    @property
    def named(self) -> list[Axis]:
        """The axes that are there."""
        return [axis for axis in self.axes if axis is not None]

    def shots(self) -> list[Shot]:
        """Every picture, cell by cell.

        Raises:
            BadPreset: a value that its field cannot take, or too many cells.
        """
        found = []
        for cell in cells(self.preset, *self.axes):
            place = f"x{cell.column:02d}-y{cell.line:02d}-z{cell.page:02d}"
            for seed in self.seeds or (cell.preset.sampler.seed,):
                name = f"{self.stem}-{place}-seed{seed}.png"
                made = chosen_alike(self.preset, self.axes, cell, single(cell.preset, seed))
                own = cell if self.seeds else replace(cell, preset=made)  # used as it is shown
                found.append(Shot(own, seed, name, made))
        return found


def stem_of(preset: Preset, axes: Axes, seeds: Sequence[int], folder: Path | None = None) -> str:
    """What the names of a sweep's files begin with: the same for the same preset, axes (and what their
    styles hold) and seeds, whatever the preset holds in the fields that are swept, as after one of its
    cells is used.

    Args:
        folder: where it may lie from before; an earlier studio named it by those fields too.
    """
    with suppress(StudioError):  # which is said elsewhere
        axes = holding(axes)
    stem, earlier = (_stem(one, axes, seeds) for one in (_first(preset, axes), preset))
    if folder is None or (folder / f"{stem}.json").exists():
        return stem
    drawn = _stem(_first(preset.with_seed(-1), axes), axes, seeds)
    if _document(folder / f"{drawn}.json").get("seed") == preset.sampler.seed:
        return drawn
    return earlier if (folder / f"{earlier}.json").exists() else stem


def settled(preset: Preset, axes: Axes, seeds: Sequence[int], folder: Path) -> Axes:
    """The axes with what their styles hold. Where one is gone it is what it was in the same sweep of the
    folder, so that this can be gone on with.

    Raises:
        StudioError: as :func:`studio.experiments.swept_styles.holding`.
    """
    for stem, held in held_before(axes, folder) if gone(axes) else ():
        if stem_of(preset, held, seeds, folder) == stem:
            return held
    return holding(axes)


def _stem(preset: Preset, axes: Sequence[Axis | None], seeds: Sequence[int]) -> str:
    plain = [[*data_of(axis).values()] if axis else None for axis in axes]
    asked = json.dumps([json.loads(preset.to_json()), plain, list(seeds)], sort_keys=True)
    return f"sweep-{hashlib.sha256(asked.encode()).hexdigest()[:10]}"


def _first(preset: Preset, axes: Sequence[Axis | None]) -> Preset:
    """The preset of the first cell; as it is where that cannot be made, which is said elsewhere."""
    named = [axis for axis in axes if axis is not None]
    with suppress(StudioError):
        return changed(preset, named, [axis.values[0] for axis in named])
    return preset


def begin(preset: Preset, axes: Axes, seeds: Sequence[int], folder: Path) -> Sweep:
    """A sweep in a folder: a new one, or the same that was begun there, with the same seed."""
    axes = settled(preset, axes, seeds, folder)
    stem = stem_of(preset, axes, seeds, folder)
    chosen = _document(folder / f"{stem}.json").get("seed")
    if preset.sampler.seed < 0:
        seed = chosen if isinstance(chosen, int) else cells(preset, *axes)[0].preset.sampler.seed
        preset = preset.with_seed(seed)
    return Sweep(preset, axes, tuple(seeds), stem)


def run(
    sweep: Sweep, folder: Path, make: Makers, kept: Callable[[Path], bool] = Path.exists
) -> Iterator[tuple[Shot, Line]]:
    """Every picture with what is said of it: those ``kept`` from before, then the others as they
    come, in whatever order."""
    shots, known = sweep.shots(), _known(sweep, folder)
    beginning = {**_asked(sweep), **_document(folder / f"{sweep.stem}.json")}
    text = json.dumps(beginning, ensure_ascii=False)
    write_atomically(folder / f"{sweep.stem}.json", text.encode())
    missing = []
    for shot in shots:
        line = known.get(shot.name)
        if line is not None and kept(folder / shot.name):
            yield shot, line
        else:
            missing.append(shot)
    with closing(make([(shot.preset, folder / shot.name) for shot in missing])) as made:
        for number, said in made:
            shot = missing[number]
            line = {**_place(shot), **said, "path": shot.name}
            with (folder / f"{sweep.stem}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            yield shot, line


def _place(shot: Shot) -> Line:
    cell = shot.cell
    return {"x": cell.x, "y": cell.y, "z": cell.z, "seed": shot.seed}


def _known(sweep: Sweep, folder: Path) -> dict[str, Line]:
    """What is known of pictures by their file: of a sweep that ended, and of one that did not."""
    found = {
        line["path"]: line for line in _document(folder / f"{sweep.stem}.json").get("cells", [])
    }
    with suppress(OSError):
        for text in (folder / f"{sweep.stem}.jsonl").read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, KeyError, TypeError):  # a line that a crash has cut
                line = json.loads(text)
                found[line["path"]] = line
    return found


def _document(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def score(
    sweep: Sweep,
    lines: Sequence[Line],
    folder: Path,
    scored: Scored,
    names: Sequence[str],
    beside: Beside,
) -> list[Line]:
    """The scores of every cell: a line each with its values, and for each metric its interval.

    Args:
        beside: what is kept beside the pictures for the scores.

    Raises:
        StudioError: an unknown metric, or one that lacks what it needs.
    """
    from studio.metrics import measure

    found: list[Line] = []
    presets = {(c.x, c.y, c.z).__repr__(): c.preset for c in cells(sweep.preset, *sweep.axes)}
    for key, those in _by_cell(lines).items():
        text = text_of(presets[key])
        one = replace(
            scored,
            images=[folder / line["path"] for line in those],
            prompts=[text] * len(those) if text else [],
            seeds=[line["seed"] for line in those],
        )
        one = beside.measured(one, [presets[key]] * len(those))
        metrics = {name: measure(name, one)[0].as_dict() for name in names}
        found.append({name: those[0][name] for name in ("x", "y", "z")} | {"metrics": metrics})
    return found


def _by_cell(lines: Sequence[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault((line["x"], line["y"], line["z"]).__repr__(), []).append(line)
    return found


def grids(
    sweep: Sweep, shots: Sequence[Shot], folder: Path, said: Said = as_written
) -> list[tuple[str, Image.Image]]:
    """A labelled grid for each value of the third axis that has pictures, and its file's name; ``said``
    is what axes and values are called in it."""
    x, y, z = sweep.axes
    field, values = said(z) if z else ("", [])
    found = []
    for page in range(len(z.values) if z else 1):
        firsts = {}
        for shot in reversed([shot for shot in shots if shot.cell.page == page]):
            firsts[shot.cell.column, shot.cell.line] = folder / shot.name
        if not firsts:
            continue
        images = {
            place: shrunk(open_checked(path, path.name).convert("RGB"), len(firsts))
            for place, path in firsts.items()
        }
        title = f"{field} = {values[page]}" if z else ""
        name = f"{sweep.stem}-z{page:02d}.png" if z else f"{sweep.stem}.png"
        found.append((name, draw_grid(images, x, y, title, said)))
    return found


def finish(
    sweep: Sweep,
    lines: Sequence[Line],
    scores: Sequence[Line],
    grid: Sequence[str],
    folder: Path,
    scored_by: Mapping[str, Any] | None = None,
) -> Path:
    """Write the JSON, the CSV and the plots; the JSON's path.

    Args:
        scored_by: the networks and the cut-out of the scores, for the JSON.
    """
    from studio.experiments.sweep_plots import plots

    names = list(scores[0]["metrics"]) if scores else []
    for name, text in plots(sweep.axes, scores, names):
        write_atomically(folder / f"{sweep.stem}-{name}.svg", text.encode())
    document = {
        "grid": grid[0],
        "grids": list(grid),
        **_asked(sweep),
        "cells": list(lines),
        "scores": list(scores),
        **({"scored_by": dict(scored_by)} if scored_by else {}),
    }
    table = table_of(sweep.axes, lines, scores, names)
    write_atomically(folder / f"{sweep.stem}.csv", table.encode())
    path = folder / f"{sweep.stem}.json"
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=2).encode())
    (folder / f"{sweep.stem}.jsonl").unlink(missing_ok=True)
    return path


def _asked(sweep: Sweep) -> dict[str, Any]:
    """What a sweep's document says from its beginning on: all that makes it again."""
    axes = {side: axis and data_of(axis) for side, axis in zip("xyz", sweep.axes, strict=True)}
    preset = json.loads(sweep.preset.to_json())
    return {"seed": sweep.preset.sampler.seed, **axes, "preset": preset}
