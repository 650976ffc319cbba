"""What several verbs share: reading the preset argument, and speaking JSON lines."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from studio.errors import StudioError, printable, shorten
from studio.history.made import renewed
from studio.images import locate
from studio.library import Library
from studio.plan import Plan
from studio.plan.row_models import check_base
from studio.plan.size import ASPECTS, aspect_size
from studio.plan.stated import stated_plan
from studio.preset import MAX_JSON_BYTES, Preset, parse
from studio.preset.fields import split_assignment, with_fields
from studio.preset.styles import find
from studio.preset.unfinished import without_mark
from studio.share import extract, read_any
from studio.share.styled import styled

STDIN = "-"
SIDES = ("sampler.width", "sampler.height")
_CONTROL = re.compile(r"[\x7f-\x9f\ud800-\udfff]")


def add_preset_arguments(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    """``PRESET``, ``--set``, ``--style`` and ``--aspect``."""
    parser.add_argument(
        "preset",
        metavar="PRESET",
        nargs="?" if optional else None,
        help="a JSON file, an image with a preset, or - for JSON on stdin",
    )
    add_change_arguments(parser)


def add_change_arguments(parser: argparse.ArgumentParser) -> None:
    """``--set``, ``--style`` and ``--aspect``."""
    parser.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="change a field, e.g. rows.0.weight=3; may be given several times",
    )
    parser.add_argument(
        "--style",
        metavar="NAME",
        action="append",
        default=[],
        help="add a style's texts and rows, after --set; may be given several times",
    )
    parser.add_argument(
        "--aspect",
        metavar="W:H",
        help=f"width and height of about the base's own number of pixels: {', '.join(ASPECTS)}",
    )


def load_preset(options: argparse.Namespace, library: Library) -> Preset:
    """The preset argument with every ``--set``, every ``--style``, then ``--aspect`` applied; notes go
    to stderr."""
    if options.preset == STDIN:
        preset, notes = extract(parse(sys.stdin.read(MAX_JSON_BYTES + 1), source="stdin")), []
    else:
        preset, notes = read_any(options.preset, library)
    say_notes(notes)
    preset = without_mark(preset)  # what it makes is finished
    preset = with_fields(preset, [split_assignment(text, "--set") for text in options.set])
    if options.preset != STDIN:
        say_notes(renewed(preset, Path(options.preset), library))
    for name in options.style:
        preset, notes = styled(preset, find(name, "--style"), library)
        say_notes(notes)
    return _in_aspect(preset, options, library) if options.aspect else preset


def _in_aspect(preset: Preset, options: argparse.Namespace, library: Library) -> Preset:
    """The preset in the size of ``--aspect``, which ``--set`` does not give too."""
    for side in SIDES:
        if any(split_assignment(text, "--set")[0] == side for text in options.set):
            raise StudioError(f"gives {side}, which --set gives too", field="--aspect")
    if options.aspect not in ASPECTS:
        there = ", ".join(ASPECTS)
        raise StudioError(f"got {shorten(options.aspect)}; there is {there}", field="--aspect")
    base = check_base(library.catalogue(), preset.base, preset.vae)
    return with_fields(preset, zip(SIDES, aspect_size(options.aspect, base), strict=True))


def image_roots(options: argparse.Namespace) -> list[Path]:
    """Where relative images may lie: beside the preset; of one from stdin, in the current folder."""
    return [Path.cwd() if options.preset == STDIN else Path(options.preset).resolve().parent]


def checked_plan(preset: Preset, library: Library, roots: list[Path]) -> Plan:
    """The plan; compiling finds wrong models before anything is loaded."""
    return stated_plan(preset, library, roots)


def say_notes(notes: Iterable[str]) -> None:
    """What to know, on stderr, each once."""
    for note in dict.fromkeys(notes):
        print(printable(f"note: {note}"), file=sys.stderr)


def check_images(preset: Preset, roots: list[Path]) -> None:
    """Find missing images before anything is loaded."""
    for index, row in preset.active_rows():
        for name, control in row.all_controls.items():
            if not control.image:
                locate("", roots, field=f"rows.{index}.{name}.image")
    for ref, field in preset.image_references(active=True):
        if not ref.startswith("data:"):
            locate(ref, roots, field=field)


def output_folder(text: str) -> Path:
    """``--out``, made if need be."""
    folder = Path(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudioError(f"{text} cannot be made ({error.strerror})", field="--out") from error
    return folder


def no_loading_bars() -> None:
    """The libraries draw a bar of a millisecond for every part of a model; none is wanted."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()


def say(data: Mapping[str, Any]) -> None:
    """One JSON line on stdout."""
    print(terminal_json(json.dumps(data, ensure_ascii=False)), flush=True)


def terminal_json(text: str) -> str:
    """JSON whose control characters above ASCII are escaped, as JSON escapes those below."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
