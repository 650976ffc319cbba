"""Preprocessors by name: from a person's picture to the map that a ControlNet reads.

``canny`` and ``map`` work as they are. The others are networks whose weights lie on the hub:
they are fetched only when ``STUDIO_ALLOW_DOWNLOAD=1`` says so, and read from the hub's cache
where they are there already.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from studio.errors import StudioError, shorten
from studio.preset import Control

ALLOW_DOWNLOAD = "STUDIO_ALLOW_DOWNLOAD"
CANNY_THRESHOLDS = (100, 200)
DETECT_EDGE = 512  # the networks were trained on pictures of about this size


@dataclass(frozen=True)
class _Learned:
    """A detector of ``controlnet_aux``: its module and class, its weights' place on the hub."""

    module: str
    name: str
    weights: str = "lllyasviel/Annotators"
    options: dict[str, Any] = field(default_factory=dict)


LEARNED = {
    "scribble": _Learned("hed", "HEDdetector", options={"scribble": True}),
    "lineart": _Learned("lineart", "LineartDetector"),
    "depth": _Learned("midas", "MidasDetector"),
    "normal": _Learned("normalbae", "NormalBaeDetector"),
    "openpose": _Learned("open_pose", "OpenposeDetector"),
}
SEGMENTATION_WEIGHTS = "openmmlab/upernet-convnext-small"
_PACKAGE = "controlnet_aux"
_IMPORTING = threading.Lock()


def prepare(control: Control, image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The map for ``control``: ``image`` brought to ``size``, then preprocessed.

    An image of another size is resized as diffusers' pipelines do it: to the size asked for,
    whatever its aspect, so that a map made elsewhere for this size is taken pixel by pixel.

    Args:
        control: names the preprocessor (``type``).
        image: the person's picture, or for ``map`` the finished map.
        size: width and height of the map, in pixels.

    Raises:
        StudioError: the preprocessor's weights are not here and may not be fetched.
    """
    fitted = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    if control.type == "map":
        return fitted
    if control.type == "canny":
        return canny(fitted)
    if control.type == "segmentation":
        return _segmentation(fitted)
    found = _detector(control.type, _may_download())(
        fitted,
        detect_resolution=DETECT_EDGE,
        image_resolution=min(size),
        output_type="pil",
        **LEARNED[control.type].options,
    )
    return found.convert("RGB").resize(size, Image.Resampling.BILINEAR)


def weights_of(kind: str) -> str:
    """Where on the hub the weights of preprocessor ``kind`` lie; "" for one that needs none."""
    if kind == "segmentation":
        return SEGMENTATION_WEIGHTS
    return LEARNED[kind].weights if kind in LEARNED else ""


def canny(image: Image.Image) -> Image.Image:
    """White edges on black, at the image's own resolution."""
    low, high = CANNY_THRESHOLDS
    edge = min(image.size)
    detect = _load("canny", "CannyDetector")()
    found = detect(image, low, high, detect_resolution=edge, image_resolution=edge)
    return found.convert("RGB").resize(image.size, Image.Resampling.NEAREST)


def _load(module: str, name: str) -> Any:
    """One name out of ``controlnet_aux``, without the package's own import.

    That one imports every detector, takes seconds and warns of optional parts. While the module
    is imported, a bare package stands in, which knows only where its modules lie.
    """
    with _IMPORTING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if _PACKAGE in sys.modules:
            return getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.submodule_search_locations is None:
            raise StudioError(f"{_PACKAGE} is not installed", field="control.type")
        bare = types.ModuleType(_PACKAGE)
        bare.__path__ = list(spec.submodule_search_locations)
        sys.modules[_PACKAGE] = bare
        try:
            return getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)
        finally:
            del sys.modules[_PACKAGE]


def _may_download() -> bool:
    return os.environ.get(ALLOW_DOWNLOAD, "") == "1"


@lru_cache(maxsize=2)
def _detector(kind: str, download: bool) -> Any:
    learned = LEARNED[kind]
    load = _load(learned.module, learned.name).from_pretrained
    return _from_hub(
        kind, learned.weights, lambda: load(learned.weights, local_files_only=not download)
    )


def _from_hub(kind: str, weights: str, load: Callable[[], Any]) -> Any:
    """What ``load`` returns, with one line for the many ways in which a hub can fail."""
    try:
        return load()
    except Exception as error:
        if not _may_download():
            raise StudioError(
                f"the {kind} preprocessor needs the weights {weights} from the hub; set "
                f"{ALLOW_DOWNLOAD}=1 to fetch them, or give the finished map with type 'map'",
                field="control.type",
            ) from error
        raise StudioError(
            f"the weights {weights} of the {kind} preprocessor could not be fetched "
            f"({shorten(str(error))}); give the finished map with type 'map'",
            field="control.type",
        ) from error


def _segmentation(image: Image.Image) -> Image.Image:
    """ADE20K classes in the colours that segmentation ControlNets were trained on."""
    processor, network = _segmenter(_may_download())
    import torch

    with torch.inference_mode():
        output = network(**processor(image, return_tensors="pt"))
    target = [(image.height, image.width)]
    classes = processor.post_process_semantic_segmentation(output, target_sizes=target)[0]
    palette = np.array(_load("util", "ade_palette")(), dtype=np.uint8)
    return Image.fromarray(palette[classes.numpy()])


@lru_cache(maxsize=1)
def _segmenter(download: bool) -> tuple[Any, Any]:
    from transformers import AutoImageProcessor, UperNetForSemanticSegmentation

    def load() -> tuple[Any, Any]:
        processor, network = (
            kind.from_pretrained(SEGMENTATION_WEIGHTS, local_files_only=not download)
            for kind in (AutoImageProcessor, UperNetForSemanticSegmentation)
        )
        return processor, network

    return _from_hub("segmentation", SEGMENTATION_WEIGHTS, load)
