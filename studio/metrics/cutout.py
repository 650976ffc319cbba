"""The subject cut out before it is compared, so that backgrounds count for nothing.

Three ways, by name: ``background`` takes away the plain colour that reaches the border,
``masks:DIR`` takes masks that a person gives, anything else is a segmentation model by id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

from studio.errors import MissingModel, StudioError
from studio.extensions import Table
from studio.files import write_atomically
from studio.home import cache_folder
from studio.images import SUFFIXES, open_checked, png_bytes, to_mask, to_rgb
from studio.metrics.networks import offline, source_of, whole

Cutter = Callable[[Image.Image, Path], np.ndarray | None]
"""A picture and its file → what of it is the subject (h, w), 0 to 1; None where none is found."""

TOLERANCE = 24  # of 255 in any channel, to count as the background's colour
SHARES = (0.005, 0.98)  # of a picture: a subject that is smaller or larger is none
WHITE = 255.0

CUTS: Table[Callable[[str, torch.device], Cutter]] = Table("cut-out")
"""Way → what makes its cutter of the text after a colon and a device."""


def without_background(picture: Image.Image) -> np.ndarray:
    """What is left (h, w) of an RGB picture without the border's colour as far as that reaches from there.

    The colour is the median of the outermost pixels in each channel.
    """
    pixels = np.asarray(picture, np.int16)
    near = np.abs(pixels - np.median(_rim(pixels), axis=0)).max(-1) <= TOLERANCE
    regions = np.zeros(near.shape, np.int32)
    ndimage.label(near, output=regions)
    reaching = np.unique(_rim(regions))
    return (~np.isin(regions, reaching[reaching > 0])).astype(np.float64)


def _rim(values: np.ndarray) -> np.ndarray:
    """The outermost values of (h, w, …); those of the corners twice."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _background(text: str, device: torch.device) -> Cutter:
    if text:
        raise StudioError(f"background takes nothing after it, got {text!r}", field="--cut-out")
    return lambda picture, path: without_background(picture)


def _masks(folder: str, device: torch.device) -> Cutter:
    if not folder or not Path(folder).is_dir():
        raise StudioError(
            f"{folder!r} is no folder of masks; give one as masks:DIR", field="--cut-out"
        )
    masks = {
        file.stem: file
        for file in sorted(Path(folder).iterdir(), reverse=True)
        if file.suffix.lower() in SUFFIXES
    }

    def cut(picture: Image.Image, path: Path) -> np.ndarray | None:
        if path.stem not in masks:
            return None
        file = masks[path.stem]
        mask = to_mask(open_checked(file, str(file)))
        return np.asarray(mask.resize(picture.size), np.float64) / 255

    return cut


CUTS.register("background", _background)
CUTS.register("masks", _masks)


def segmenter(name: str, device: torch.device) -> Cutter:
    """A network for semantic segmentation: all but the class that most of the border is.

    Raises:
        MissingModel: it is not here; names how to get it, and the ways that need none.
        StudioError: it is no network of that kind.
    """
    from transformers import AutoConfig, AutoImageProcessor, AutoModelForSemanticSegmentation

    try:
        source = source_of(name)
    except MissingModel as error:
        ways = f"ways without a model: {', '.join(CUTS)}"
        raise MissingModel(f"{error.message}; {ways}", field="--cut-out") from error
    config = AutoConfig.from_pretrained(source, local_files_only=offline())
    if type(config) not in AutoModelForSemanticSegmentation._model_mapping:
        raise StudioError(
            f"{name} is a {config.model_type}, which is no model for semantic segmentation",
            field="--cut-out",
        )
    model = whole(AutoModelForSemanticSegmentation, source).float().eval().to(device)
    processor: Any = AutoImageProcessor.from_pretrained(source, local_files_only=offline())

    @torch.inference_mode()
    def cut(picture: Image.Image, path: Path) -> np.ndarray:
        inputs = processor(images=[picture], return_tensors="pt").to(device)
        logits = model(pixel_values=inputs["pixel_values"]).logits
        size = picture.size[::-1]
        grown = torch.nn.functional.interpolate(logits, size, mode="bilinear", align_corners=False)
        classes = grown[0].argmax(0).cpu().numpy()
        return (classes != np.bincount(_rim(classes)).argmax()).astype(np.float64)

    return cut


@dataclass
class CutOut:
    """Pictures with nothing but their subject, on white.

    Args:
        way: ``background``, ``masks:DIR``, or a segmentation model's id.
        device: where such a model runs.

    Raises:
        StudioError: no folder of masks, or a model that is not here or of another kind.
    """

    way: str
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    _done: dict[Path, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name, _, rest = self.way.partition(":")
        known = CUTS.get(name)
        self._cut = known(rest, self.device) if known else segmenter(self.way, self.device)

    def __call__(self, paths: Sequence[Path]) -> list[Path]:
        """The files of the cut-outs, kept below ``STUDIO_HOME/cache`` by their content."""
        for path in paths:
            if path not in self._done:
                self._done[path] = self._file(path)
        return [self._done[path] for path in paths]

    def settings(self) -> dict[str, str]:
        """What makes a cut-out the same one: its way, and what the masks look like."""
        name, _, folder = self.way.partition(":")
        if name != "masks":
            return {"cut_out": self.way}
        content = hashlib.sha256()
        for file in sorted(Path(folder).iterdir()):
            if file.suffix.lower() in SUFFIXES:
                content.update(file.name.encode() + b"\0" + file.read_bytes())
        return {"cut_out": self.way, "masks": content.hexdigest()}

    @property
    def missed(self) -> list[str]:
        """The names of the pictures in which no subject was found; they are compared whole."""
        return sorted({path.name for path, file in self._done.items() if file == path})

    def _file(self, path: Path) -> Path:
        picture = to_rgb(open_checked(path, path.name))
        mask = self._cut(picture, path)
        if mask is None or not SHARES[0] <= mask.mean() <= SHARES[1]:
            return path
        share = mask[..., None].clip(0, 1)
        values = np.asarray(picture, np.float64) * share + WHITE * (1 - share)
        data = png_bytes(Image.fromarray(np.rint(values).astype(np.uint8)))
        kept = cache_folder() / "cutouts" / f"{hashlib.sha256(data).hexdigest()[:32]}.png"
        if not kept.exists():
            write_atomically(kept, data)
        return kept
