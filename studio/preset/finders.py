"""The table of finders: what says where in a finished picture something is to be made again.

Values only. A finder is a function of a picture; :mod:`studio.preprocessors.parts` runs them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from studio.extensions import Table

OFF = "off"


@dataclass(frozen=True)
class Finder:
    """One finder.

    Args:
        title: what the page calls it.
        help: one line on what it finds.
        run: from an RGB picture and a :class:`~studio.preset.detail.Detail` to masks (L, of its size)
            of what was found, white there; ``module:function``, or the function.
        ready: sees that it can run, called before the picture is begun; the same. "" for always.
        reads_words: whether it looks for what the person's words say.
        weights: where on the hub its weights lie; "" for one that needs none.
    """

    title: str
    help: str
    run: str | Callable[..., Any] = ""
    ready: str | Callable[..., Any] = ""
    reads_words: bool = False
    weights: str = ""


FINDERS: Table[Finder] = Table("finder")
FINDERS.register(OFF, Finder("off", "Nothing is made again."))
FINDERS.register(
    "faces",
    Finder(
        "faces",
        "Faces that look into the camera. Needs no download.",
        "studio.preprocessors.faces:face_masks",
    ),
)
FINDERS.register(
    "words",
    Finder(
        "what words say",
        "Anything, by a network (CLIPSeg) that compares the picture with words.",
        "studio.preprocessors.worded:worded_masks",
        "studio.preprocessors.worded:ready",
        reads_words=True,
        weights="CIDAS/clipseg-rd64-refined",
    ),
)
