"""What verbs that score share: their options, the references, the networks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.making import drift_file
from studio.files import write_atomically
from studio.preset import Preset

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


def control_maps(preset: Preset, out: Path, roots: list[Path]) -> list[Path]:
    """The map of the preset's first control row, kept in ``out``; none where it has none.

    Raises:
        StudioError: its picture or its preprocessor's weights are not here.
    """
    from studio import images
    from studio.preprocessors.control_map import prepare

    for index, row in preset.active_rows():
        if row.control is not None:
            field = f"rows.{index}.control.image"
            picture = images.resolve(row.control.image, roots, field=field)
            size = (preset.sampler.width or picture.width, preset.sampler.height or picture.height)
            path = out / "control.png"
            write_atomically(path, images.png_bytes(prepare(row.control, picture, size)))
            return [path]
    return []


def read_drift(path: Path) -> float:
    """What was kept beside a picture; NaN where its run had nothing to measure."""
    found = json.loads(drift_file(path).read_text(encoding="utf-8"))["drift"]
    return float("nan") if found is None else float(found)
