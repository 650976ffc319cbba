"""Verbs that make images: generate, sweep."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.common import (
    add_preset_arguments,
    check_images,
    checked_plan,
    image_roots,
    load_preset,
    no_loading_bars,
    output_folder,
    say,
)
from studio.events import Done, Progress
from studio.fields import with_fields
from studio.files import write_new
from studio.library import Library
from studio.preset import Preset
from studio.share import save_image
from studio.share.write import encode
from studio.sweep import Axis, Cell, cells, draw_grid, parse_axis, shrunk

if TYPE_CHECKING:
    from studio.engine import Engine


def add_verbs(verbs: Any) -> None:
    """Declare the verbs on argparse's subparsers."""
    generate_verb = verbs.add_parser("generate", help="make a preset's images")
    add_preset_arguments(generate_verb)
    generate_verb.add_argument("--out", metavar="DIR", required=True, help="folder for the images")
    generate_verb.add_argument("--seed", type=int, metavar="N", help="first seed")
    generate_verb.add_argument("--count", type=int, metavar="N", help="number of images")
    generate_verb.add_argument(
        "--json",
        action="store_true",
        help="add to each line every row's norm and cosine per step, and the unconditional drift",
    )
    generate_verb.set_defaults(run=generate)
    sweep_verb = verbs.add_parser("sweep", help="make a grid over one or two fields")
    add_preset_arguments(sweep_verb)
    sweep_verb.add_argument("--out", metavar="DIR", required=True, help="folder for the images")
    sweep_verb.add_argument("--x", metavar="FIELD=V1,V2,..", required=True, help="the columns")
    sweep_verb.add_argument("--y", metavar="FIELD=V1,V2,..", help="the lines")
    sweep_verb.set_defaults(run=sweep)


def generate(options: argparse.Namespace) -> None:
    """Make the images; one JSON line for each as it is done."""
    library = Library()
    preset = load_preset(options, library)
    given = {"sampler.seed": options.seed, "sampler.count": options.count}
    preset = with_fields(preset, [(k, v) for k, v in given.items() if v is not None])
    roots = image_roots(options)
    checked_plan(preset, library)
    check_images(preset, roots)
    folder = output_folder(options.out)
    for done in _made(_engine(roots), preset):
        path = save_image(done.image, done.preset, folder, roots)
        say({**_line(done, path), **(_diagnostics(done) if options.json else {})})


def sweep(options: argparse.Namespace) -> None:
    """Make every cell, then the labelled grid and its JSON; the images stay beside them."""
    library = Library()
    preset = load_preset(options, library)
    x = parse_axis(options.x, "--x")
    y = parse_axis(options.y, "--y") if options.y else None
    grid_cells = cells(preset, x, y)
    roots = image_roots(options)
    for cell in grid_cells:
        checked_plan(cell.preset, library)
        check_images(cell.preset, roots)
    folder = output_folder(options.out)
    engine = _engine(roots)
    images, lines = {}, []
    for number, cell in enumerate(grid_cells, 1):
        _show(f"image {number} of {len(grid_cells)}")
        for done in _made(engine, cell.preset):
            path = save_image(done.image, done.preset, folder, roots)
            images[cell.column, cell.line] = shrunk(done.image, len(grid_cells))
            lines.append(_cell_line(cell, done, path))
    report = {"x": _axis(x), "y": _axis(y), "cells": lines, "preset": json.loads(preset.to_json())}
    stem = datetime.now().strftime("sweep-%Y%m%d-%H%M%S")
    grid = encode(draw_grid(images, x, y), preset, ".png", roots)
    grid_path = write_new(folder, stem, ".png", grid)
    text = json.dumps({"grid": grid_path.name, **report}, ensure_ascii=False, indent=2)
    print(grid_path)
    print(write_new(folder, grid_path.stem, ".json", text.encode()))


def _engine(roots: list[Path]) -> Engine:
    from studio.engine import Engine

    no_loading_bars()
    return Engine(image_roots=roots)


def _made(engine: Engine, preset: Preset) -> Iterator[Done]:
    for event in engine.generate(preset):
        if isinstance(event, Done):
            _show("")
            yield event
        elif isinstance(event, Progress):
            left = f", {event.seconds_left:.0f} s left" if event.step else ""
            _show(f"{event.stage} {event.step}/{event.steps}{left}")


def _show(text: str) -> None:
    """The state of things, on a terminal only: in one place, overwritten."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _line(done: Done, path: Path) -> dict[str, Any]:
    return {
        "path": str(path),
        "seed": done.seed,
        "seconds": round(done.seconds, 3),
        "forwards": done.forwards,
    }


def _diagnostics(done: Done) -> dict[str, Any]:
    """How much each row moved the prediction, and how far personalised weights lead alone."""
    rows = [
        {"row": s.row, "norm": _rounded(s.norm), "cosine": _rounded(s.cosine)} for s in done.shares
    ]
    drift = [{"weights": d.weights, "norm": _rounded(d.norm)} for d in done.drift]
    return {"rows": rows, "drift": drift}


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.6g}") for value in values]


def _cell_line(cell: Cell, done: Done, path: Path) -> dict[str, Any]:
    return {"x": cell.x, "y": cell.y, **_line(done, path), "path": path.name}


def _axis(axis: Axis | None) -> dict[str, Any] | None:
    return None if axis is None else {"field": axis.field, "values": list(axis.values)}
