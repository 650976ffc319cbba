"""The verb download: brings a model from the hub or from civitai.com into the library."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from studio.cli.common import say
from studio.library import Library
from studio.library.download import download, look_up


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "download", help="fetch a model from the hub, or civitai.com, into the library"
    )
    verb.add_argument(
        "model", metavar="OWNER/NAME", help="a hub id; or the link or AIR of a model of civitai.com"
    )
    verb.add_argument("--dry-run", action="store_true", help="tell licence and size, fetch nothing")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Licence and size first, then the files; at the end one JSON line per model that came."""
    model = look_up(options.model)
    about = f"{model.id}: licence {model.license}, {len(model.files)} files, {model.bytes:,} bytes"
    print(about, file=sys.stderr)
    if options.dry_run:
        say(
            {
                "id": model.id,
                "license": model.license,
                "bytes": model.bytes,
                "files": [name for name, _ in model.files],
            }
        )
        return
    shown = ""
    for progress in download(model):
        line = f"{100 * progress.done // max(1, progress.total)}% {progress.file}"
        if line != shown:
            print(line, file=sys.stderr)
        shown = line
    for entry in Library().entries():
        if entry.id == model.id or entry.id.startswith(f"{model.id}/"):
            say({"id": entry.id, "kind": entry.kind, "family": entry.family, "bytes": entry.bytes})
