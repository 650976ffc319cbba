"""The verb sweep: a labelled grid over one or two fields of a preset."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from studio.cli.common import (
    add_preset_arguments,
    check_images,
    checked_plan,
    image_roots,
    load_preset,
    output_folder,
    say_notes,
)
from studio.cli.making import image_line, images_of, make_engine, show
from studio.events import Done
from studio.experiments.grid import draw_grid, shrunk
from studio.files import write_new
from studio.library import Library
from studio.preset.sweep import Axis, Cell, cells, parse_axis
from studio.share import save_image
from studio.share.write import encode


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("sweep", help="make a grid over one or two fields")
    add_preset_arguments(verb)
    verb.add_argument("--out", metavar="DIR", required=True, help="folder for the images")
    verb.add_argument("--x", metavar="FIELD=V1,V2,..", required=True, help="the columns")
    verb.add_argument("--y", metavar="FIELD=V1,V2,..", help="the lines")
    verb.set_defaults(run=sweep)


def sweep(options: argparse.Namespace) -> None:
    """Make every cell, then the labelled grid and its JSON; the images stay beside them."""
    library = Library()
    preset = load_preset(options, library)
    x = parse_axis(options.x, "--x")
    y = parse_axis(options.y, "--y") if options.y else None
    grid_cells = cells(preset, x, y)
    roots = image_roots(options)
    notes: list[str] = []
    for cell in grid_cells:
        notes += checked_plan(cell.preset, library, roots).notes
        check_images(cell.preset, roots)
    say_notes(notes)
    folder = output_folder(options.out)
    engine = make_engine(roots)
    images, lines = {}, []
    for number, cell in enumerate(grid_cells, 1):
        show(f"image {number} of {len(grid_cells)}")
        for done in images_of(engine, cell.preset):
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


def _cell_line(cell: Cell, done: Done, path: Path) -> dict[str, Any]:
    return {"x": cell.x, "y": cell.y, **image_line(done, path), "path": path.name}


def _axis(axis: Axis | None) -> dict[str, Any] | None:
    return None if axis is None else {"field": axis.field, "values": list(axis.values)}
