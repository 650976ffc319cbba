"""The table of control preprocessors: from a person's picture to the map that a ControlNet reads.

Values only. A preprocessor is a function of a picture, or a detector of the package
``controlnet_aux`` whose weights lie on the hub; :mod:`studio.preprocessors` runs both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.extensions import Table

FINISHED = "map"  # the one that takes a picture as it is
CANNY_THRESHOLDS: tuple[int, int] = (100, 200)  # low and high
ANNOTATORS = "lllyasviel/Annotators"


@dataclass(frozen=True)
class Preprocessor:
    """One preprocessor.

    Args:
        title: what the page calls it.
        help: one line on what its map shows.
        run: from an RGB picture to its map of the same size; ``module:function``, or the function.
        detector: in place of ``run``, a class of ``controlnet_aux`` as ``module:Class``.
        options: that the detector is called with.
        weights: where on the hub its weights lie; "" for one that needs none.
        marks: words in the names of published ControlNets that read such maps.
        thresholds: whether ``run`` takes a control's ``low`` and ``high`` after the picture.
        a1111: what the web UI's extension calls its preprocessor; "" for the same.
        union: their place among the kinds of a ControlNet Union, ``None`` for no such kind.
    """

    title: str
    help: str
    run: str | Callable[[Any], Any] = ""
    detector: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    marks: tuple[str, ...] = ()
    thresholds: bool = False
    a1111: str = ""
    union: int | None = None


PREPROCESSORS: Table[Preprocessor] = Table("preprocessor")


def _add(name: str, title: str, help: str, marks: str, **more: Any) -> None:
    if "detector" in more:
        more.setdefault("weights", ANNOTATORS)
    PREPROCESSORS.register(name, Preprocessor(title, help, marks=tuple(marks.split()), **more))


_PLAIN = "studio.preprocessors.plain"
_add(
    "canny",
    "Edges (Canny)",
    "Hard edges as thin lines.",
    "canny",
    run=f"{_PLAIN}:canny",
    thresholds=True,
    union=3,
)
_add(
    "scribble",
    "Scribble",
    "Thick strokes as drawn by hand.",
    "scribble",
    detector="hed:HEDdetector",
    options={"scribble": True},
    union=2,
    a1111="scribble_hed",
)
_add(
    "lineart",
    "Line art",
    "Lines as a draughtsman's.",
    "lineart",
    detector="lineart:LineartDetector",
    union=3,
    a1111="lineart_realistic",
)
_add(
    "depth",
    "Depth",
    "Near is bright, far is dark.",
    "depth zoedepth midas",
    detector="midas:MidasDetector",
    union=1,
    a1111="depth_midas",
)
_add(
    "normal",
    "Normals",
    "Which way surfaces face, as colours.",
    "normal normalbae",
    detector="normalbae:NormalBaeDetector",
    union=4,
    a1111="normal_bae",
)
_add(
    "openpose",
    "Pose",
    "The limbs of people as a stick figure.",
    "openpose pose keypose dwpose",
    detector="open_pose:OpenposeDetector",
    union=0,
)
_add(
    "segmentation",
    "Segmentation",
    "What is where, in the colours of ADE20K's classes.",
    "seg segmentation",
    run="studio.preprocessors.learned:segmentation",
    union=5,
    weights="openmmlab/upernet-convnext-small",
    a1111="seg_ofade20k",
)
_add(
    "softedge",
    "Soft edges",
    "Edges as soft as they are in the picture.",
    "softedge pidi pidinet hed",
    detector="hed:HEDdetector",
    union=2,
    a1111="softedge_hed",
)
_add(
    "lineart_anime",
    "Line art, drawn",
    "The lines of a drawing or an anime picture.",
    "anime",
    detector="lineart_anime:LineartAnimeDetector",
    union=3,
)
_add(
    "mlsd",
    "Straight lines",
    "The straight lines of rooms and buildings.",
    "mlsd",
    detector="mlsd:MLSDdetector",
    union=3,
)
_add(
    "tile",
    "Tile",
    "The picture itself, for its detail.",
    "tile",
    run=f"{_PLAIN}:unchanged",
    union=6,
    a1111="tile_resample",
)
_add(
    "recolor",
    "Recolour",
    "The picture in grey, to be coloured anew.",
    "recolor",
    run=f"{_PLAIN}:grey",
    a1111="recolor_luminance",
)
_add(
    FINISHED,
    "Finished map",
    "The picture is the map, and is taken as it is.",
    "",
    run=f"{_PLAIN}:unchanged",
    a1111="none",
)


def preprocessor_of(name: str) -> str:
    """The preprocessor that another tool means by ``name``, such as ``openpose_full``; "" for none.

    Of several whose names or marks are in it, the longest says most: ``scribble_hed`` are strokes.
    """
    plain = name.lower()
    known = {mark: kind for kind, one in PREPROCESSORS.items() for mark in (*one.marks, kind)}
    found = max((mark for mark in known if mark in plain), key=len, default="")
    return known.get(found, "")
