"""Control agreement: the picture's own edges against the control map that it was to follow."""

from __future__ import annotations

import numpy as np
from PIL import Image

from studio.images import open_checked
from studio.metrics.scores import f1
from studio.metrics.table import METRICS, Metric, Scored


def edge_f1(scored: Scored) -> np.ndarray:
    """F1 of the picture's Canny edges and the map's, a pixel counting within two pixels."""
    return np.array(
        [
            _agreement(open_checked(picture, str(picture)), open_checked(control, str(control)))
            for picture, control in zip(scored.images, scored.controls, strict=True)
        ]
    )


def _agreement(picture: Image.Image, control: Image.Image) -> float:
    import cv2

    found = cv2.Canny(np.asarray(picture.convert("RGB")), 100, 200) > 0
    wanted = control.convert("L").resize(picture.size, Image.Resampling.NEAREST)
    return f1(found, np.asarray(wanted) > 127)


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
    ),
)
