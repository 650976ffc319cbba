"""The verb caption: what pictures show, in words that a base knows."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from studio.cli.common import no_loading_bars, say
from studio.errors import StudioError, printable
from studio.library import Library
from studio.plan.row_models import check_base
from studio.preset import Preset


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("caption", help="say what pictures show, as a prompt might")
    verb.add_argument("images", metavar="IMAGE", nargs="+", help="a PNG, JPEG or WebP")
    verb.add_argument(
        "--base",
        default=Preset().base,
        help="the base that the words are for; one without a vocabulary takes a captioning network",
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """A line of JSON for each picture, on stderr one for each that is none.

    Raises:
        StudioError: there was one; the others have their words all the same.
    """
    from studio import images
    from studio.metrics.captions import caption

    base = check_base(Library().catalogue(), options.base, "")
    no_loading_bars()
    failed = 0
    for name in options.images:
        try:
            picture = images.to_rgb(images.open_checked(name, name))
        except StudioError as error:
            print(printable(str(error)), file=sys.stderr)
            failed += 1
            continue
        say({"path": name, "caption": caption(picture, base)})
    if failed:
        raise StudioError(f"{failed} of {len(options.images)} pictures could not be read")
