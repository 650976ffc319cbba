"""Control agreement: the picture's own edges, depth or pose against the map that it was to follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from studio.images import open_checked
from studio.metrics.scores import f1
from studio.metrics.table import METRICS, Metric, Scored
from studio.preprocessors.control_map import prepare
from studio.preset import Control


def edge_f1(scored: Scored) -> np.ndarray:
    """F1 of the picture's Canny edges and the map's, a pixel counting within two pixels."""
    return np.array(
        [
            _agreement(open_checked(picture, str(picture)), open_checked(control, str(control)))
            for picture, control in zip(scored.images, scored.maps_of("canny"), strict=True)
        ]
    )


def _agreement(picture: Image.Image, control: Image.Image) -> float:
    import cv2

    found = cv2.Canny(np.asarray(picture.convert("RGB")), 100, 200) > 0
    wanted = control.convert("L").resize(picture.size, Image.Resampling.NEAREST)
    return f1(found, np.asarray(wanted) > 127)


def depth_error(scored: Scored) -> np.ndarray:
    """Root of the mean squared difference between the picture's own depth map and its control map, both
    in [0, 1] (Li et al. 2024, ControlNet++)."""
    pairs = zip(scored.images, scored.maps_of("depth"), strict=True)
    return np.array([_root_mean_square(*_maps("depth", *pair)) for pair in pairs])


def pose_f1(scored: Scored) -> np.ndarray:
    """F1 of the drawn limbs of the picture's own pose and of the map's, within two pixels.

    1 where neither shows a person.
    """
    shown = zip(scored.images, scored.maps_of("openpose"), strict=True)
    pairs = [_maps("openpose", *pair) for pair in shown]
    return np.array([f1(found > DRAWN, wanted > DRAWN) for found, wanted in pairs])


DRAWN = 0.1  # of full brightness: limbs are coloured lines on black


def _root_mean_square(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.sqrt(((found - wanted) ** 2).mean()))


def _maps(kind: str, picture: Path, control: Path) -> tuple[np.ndarray, np.ndarray]:
    """The picture's own map and the control map, (h, w) in [0, 1] at the picture's size."""
    image = open_checked(picture, str(picture)).convert("RGB")
    own = prepare(Control(type=kind), image, image.size)
    wanted = open_checked(control, str(control)).convert("RGB")
    wanted = wanted.resize(image.size, Image.Resampling.BILINEAR)
    found, asked = (np.asarray(one, np.float64).max(2) / 255 for one in (own, wanted))
    return found, asked


METRICS.register(
    "edge-f1",
    Metric(
        "edge-f1",
        "higher",
        "0 to 1",
        ("controls",),
        "How well the picture's edges follow its control map.",
        "Canny 1986; F1 within two pixels",
        each=edge_f1,
        reads="canny",
    ),
)
METRICS.register(
    "depth-error",
    Metric(
        "depth-error",
        "lower",
        "0 to 1",
        ("controls",),
        "How far the picture's depth lies from its control map's.",
        "ControlNet++, Li et al. 2024",
        each=depth_error,
        reads="depth",
    ),
)
METRICS.register(
    "pose-f1",
    Metric(
        "pose-f1",
        "higher",
        "0 to 1",
        ("controls",),
        "How well the limbs in the picture follow its control map.",
        "OpenPose, Cao et al. 2019; F1 within two pixels",
        each=pose_f1,
        reads="openpose",
    ),
)
