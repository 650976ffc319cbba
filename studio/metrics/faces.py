"""Face-Sim: is it the person of the references, by a face recogniser (the optional package insightface)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio.auxiliary import auxiliary
from studio.errors import MissingModel, StudioError
from studio.images import open_checked
from studio.metrics.scores import mean_cosine
from studio.metrics.table import METRICS, Metric, Scored

MODEL = "buffalo_l"  # RetinaFace and ArcFace


def face_sim(scored: Scored) -> np.ndarray:
    """Each picture's mean cosine with the references' ArcFace embeddings, of the largest face (ACCORD's
    Face-Sim); NaN where a picture shows no face, which no mean counts."""
    references = _embeddings(scored.references)
    if not len(references) or not np.isfinite(references).any():
        raise StudioError("no face is found in the references", field="face-sim")
    references = references[np.isfinite(references).all(1)]
    found = _embeddings(scored.images)
    return np.where(
        np.isfinite(found).all(1), mean_cosine(np.nan_to_num(found), references), np.nan
    )


def _embeddings(paths: Sequence[Path]) -> np.ndarray:
    rows: list[np.ndarray | None] = []
    for path in paths:
        picture = np.asarray(open_checked(path, str(path)).convert("RGB"))[..., ::-1]
        faces = _recogniser().get(np.ascontiguousarray(picture))  # blue first, as OpenCV has it
        largest = max(faces, key=lambda face: _area(face.bbox), default=None)
        rows.append(None if largest is None else np.asarray(largest.normed_embedding, np.float64))
    width = next((len(row) for row in rows if row is not None), 1)
    return np.stack([np.full(width, np.nan) if row is None else row for row in rows])


def _area(box: Any) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _check_here() -> None:
    """Nothing is fetched from here.

    Raises:
        MissingModel: the package or its networks are not here; names how to get them.
    """
    if importlib.util.find_spec("insightface") is None:
        raise MissingModel(
            "needs a package: pip install -r requirements-faces.txt", field="face-sim"
        )
    folder = Path.home() / ".insightface" / "models" / MODEL
    if not any(folder.glob("*.onnx")):
        raise MissingModel(
            f"needs the networks {MODEL}: insightface-cli model.download {MODEL}", field="face-sim"
        )


@auxiliary()
def _recogniser() -> Any:
    _check_here()
    from insightface.app import FaceAnalysis  # pyright: ignore[reportMissingImports]

    found = FaceAnalysis(name=MODEL, allowed_modules=["detection", "recognition"])
    found.prepare(ctx_id=-1)
    return found


METRICS.register(
    "face-sim",
    Metric(
        "face-sim",
        "higher",
        "-1 to 1",
        ("references",),
        "How much the picture's face is the references' face; pictures without one are left out.",
        "ACCORD, Table 4; ArcFace, Deng et al. 2019",
        each=face_sim,
        at_hand=lambda backbones: _check_here(),
    ),
)
