"""What verbs that score share: their options, the references, the networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.metrics import Scored

BLIP = "Salesforce/blip-itm-base-coco"


def add_scoring_arguments(verb: Any) -> None:
    """``--reference``, ``--source``, ``--clip``, ``--vision``, ``--blip``, ``--cut-out``, ``--few``,
    ``--device``."""
    verb.add_argument("--reference", metavar="DIR", help="pictures of what was wanted")
    verb.add_argument("--clip", metavar="ID", default="starter/clip", help="CLIP of the scores")
    verb.add_argument("--vision", metavar="ID", default="", help="network of vision-i, fid, kid …")
    verb.add_argument("--source", metavar="TEXT", default="", help="what the references show")
    verb.add_argument("--blip", metavar="ID", default=BLIP, help="BLIP of blip-t")
    verb.add_argument(
        "--cut-out",
        metavar="WAY",
        default="",
        help="compare subjects alone: background, masks:DIR, or a segmentation model's id",
    )
    verb.add_argument("--few", action="store_true", help="allow fid of few pictures")
    verb.add_argument("--device", metavar="DEVICE", default="cpu", help="of the scores' networks")


def scored_by(
    options: argparse.Namespace, images: list[Path], prompts: list[str], seeds: list[int]
) -> Scored:
    """Pictures to score with the verb's references and networks; damaged references are named."""
    from studio.experiments.evaluate import pictures_of
    from studio.metrics import Scored
    from studio.metrics.backbones import Backbones
    from studio.metrics.cutout import CutOut

    references: list[Path] = []
    if options.reference:
        references, damaged = pictures_of(Path(options.reference), "--reference")
        name_left_out(damaged)
    backbones = Backbones(options.clip, options.vision, options.device, blip=options.blip)
    scored = Scored(images, prompts, seeds, references, (), backbones, options.few, options.source)
    if options.cut_out:
        scored.cut = CutOut(options.cut_out, backbones.device)
    return scored


def check_metrics(scored: Scored, names: Sequence[str], field: str) -> None:
    """See that scores have what they need, their networks too, before a picture is made.

    Args:
        field: the option that names the scores.

    Raises:
        StudioError: an unknown score, or one that lacks something; names it.
        MissingModel: a network that is not here.
    """
    from studio.metrics import METRICS

    for name in names:
        metric = METRICS.require(name, field)
        scored.check(metric)
        scored.check_networks(metric)
    name_whole(scored, names)


def name_whole(scored: Scored, names: Sequence[str]) -> None:
    """A line on stderr for the scores that ``--cut-out`` makes no difference to."""
    from studio.metrics import METRICS

    whole = [name for name in names if not METRICS[name].subject]
    if scored.cut and whole:
        print(f"note: --cut-out changes nothing for {', '.join(whole)}", file=sys.stderr)


def settings_of(scored: Scored) -> dict[str, Any]:
    """What results say of how they were scored."""
    found: dict[str, Any] = {"clip": scored.backbones.clip, "vision": scored.backbones.vision}
    if scored.cut is not None:
        found |= {**scored.cut.settings(), "missed": scored.cut.missed}
    return found


def name_left_out(damaged: list[str]) -> None:
    """A line on stderr for each picture that is damaged, and how many there are."""
    for line in damaged:
        print(f"note: left out: {line}", file=sys.stderr)
    if len(damaged) > 1:
        print(f"note: {len(damaged)} pictures were left out", file=sys.stderr)


def name_missed(scored: Scored) -> None:
    """A line on stderr where pictures were compared whole, as no subject was found in them."""
    if scored.cut and (missed := scored.cut.missed):
        more = " …" if len(missed) > 5 else ""
        print(
            f"note: --cut-out found no subject in {len(missed)} pictures, which are compared whole: "
            f"{', '.join(missed[:5])}{more}",
            file=sys.stderr,
        )
