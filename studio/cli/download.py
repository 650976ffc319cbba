"""The verb download: brings a model from the hub or from civitai.com into the library."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from studio.cli.common import say
from studio.library import Library
from studio.library.civitai import SiteModel
from studio.library.download import HubModel, download, look_up


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "download", help="fetch a model from the hub, or civitai.com, into the library"
    )
    verb.add_argument(
        "model",
        metavar="OWNER/NAME",
        help="a hub id; or the link, AIR or hash of a model of civitai.com",
    )
    verb.add_argument("--dry-run", action="store_true", help="tell terms and size, fetch nothing")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Terms and size first, then the files; at the end one JSON line per model that came."""
    model = look_up(options.model)
    files = f"{len(model.files)} file{'' if len(model.files) == 1 else 's'}"
    print(f"{model.id}: {model.terms}, {files}, {model.bytes:,} bytes", file=sys.stderr)
    if options.dry_run:
        say(
            {
                "id": model.id,
                **_terms(model),
                "bytes": model.bytes,
                "files": [name for name, _ in model.files],
            }
        )
        return
    shown, called = "", model.id
    for progress in download(model):
        called = progress.id or called
        doing = "checking " if progress.checking else ""
        line = f"{100 * progress.done // max(1, progress.total)}% {doing}{progress.file}"
        if line != shown:
            print(line, file=sys.stderr)
        shown = line
    for entry in Library().entries():
        if entry.id == called or entry.id.startswith(f"{called}/"):
            say({"id": entry.id, "kind": entry.kind, "family": entry.family, "bytes": entry.bytes})


def _terms(model: HubModel | SiteModel) -> dict[str, str]:
    """The licence that the hub states; of civitai.com the page on which the terms stand."""
    if isinstance(model, SiteModel):
        return {"terms": f"https://{model.page}"}
    return {"license": model.license}
