"""Preprocessors that are networks: detectors of ``controlnet_aux``, and a segmentation network.

Their weights lie on the hub: they are fetched only when ``STUDIO_ALLOW_DOWNLOAD=1`` says so, and
read from the hub's cache where they are there already.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from studio.auxiliary import auxiliary
from studio.errors import StudioError, shorten
from studio.preset.preprocessors import PREPROCESSORS
from studio.settings import chosen

ALLOW_DOWNLOAD = "STUDIO_ALLOW_DOWNLOAD"
DETECT_EDGE = 512  # the networks were trained on pictures of about this size
MULTIPLE = 64  # the package stretches a picture to this
_PACKAGE = "controlnet_aux"
_IMPORTING = threading.Lock()


def detect(kind: str, image: Image.Image) -> Image.Image:
    """The map of the detector that preprocessor ``kind`` names, at the picture's size.

    The detectors work near :data:`DETECT_EDGE` and stretch what is no multiple of 64, which moves
    every edge. The picture is therefore brought to that size in its own aspect, its border
    repeated up to the multiple, and that cut off the map again.
    """
    framed, inner = _framed(image)
    edge = min(framed.size)
    found = _detector(kind, may_download())(
        framed,
        detect_resolution=edge,
        image_resolution=edge,
        output_type="pil",
        **PREPROCESSORS[kind].options,
    )
    found = found.convert("RGB").resize(framed.size, Image.Resampling.BILINEAR)
    return found.crop((0, 0, *inner)).resize(image.size, Image.Resampling.BILINEAR)


def _framed(image: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The picture at the detectors' size with its border repeated, and its size inside."""
    scale = DETECT_EDGE / min(image.size)
    width, height = (max(1, round(edge * scale)) for edge in image.size)
    resized = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
    wider, higher = (-edge % MULTIPLE for edge in (width, height))
    framed = np.pad(resized, ((0, higher), (0, wider), (0, 0)), mode="edge")
    return Image.fromarray(framed), (width, height)


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


def may_download() -> bool:
    """Whether weights may be fetched from the hub."""
    return bool(chosen("downloads").value)


@auxiliary(2)
def _detector(kind: str, download: bool) -> Any:
    entry = PREPROCESSORS[kind]
    module, _, name = entry.detector.partition(":")
    load = _load(module, name).from_pretrained
    return from_hub(
        f"{kind} preprocessor",
        entry.weights,
        lambda: load(entry.weights, local_files_only=not download),
    )


def from_hub(
    what: str,
    weights: str,
    load: Callable[[], Any],
    field: str = "control.type",
    instead: str = "give the finished map with type 'map'",
) -> Any:
    """What ``load`` returns, with one line for the many ways in which a hub can fail.

    Args:
        what: needs the ``weights``. field: of the preset, that asks for it. instead: what to do
            without it.

    Raises:
        StudioError: they are not here, and may not or cannot be fetched; names the field.
    """
    try:
        return load()
    except StudioError:
        raise
    except Exception as error:
        if not may_download():
            raise StudioError(
                f"the {what} needs the weights {weights} from the hub; set "
                f"{ALLOW_DOWNLOAD}=1 to fetch them, or {instead}",
                field=field,
            ) from error
        raise StudioError(
            f"the weights {weights} of the {what} could not be fetched "
            f"({shorten(str(error))}); {instead}",
            field=field,
        ) from error


def segmentation(image: Image.Image) -> Image.Image:
    """ADE20K classes in the colours that segmentation ControlNets were trained on."""
    processor, network = _segmenter(may_download())
    import torch

    with torch.inference_mode():
        output = network(**processor(image, return_tensors="pt"))
    target = [(image.height, image.width)]
    classes = processor.post_process_semantic_segmentation(output, target_sizes=target)[0]
    palette = np.array(_load("util", "ade_palette")(), dtype=np.uint8)
    return Image.fromarray(palette[classes.numpy()])


@auxiliary()
def _segmenter(download: bool) -> tuple[Any, Any]:
    from transformers import AutoImageProcessor, UperNetForSemanticSegmentation

    weights = PREPROCESSORS["segmentation"].weights

    def load() -> tuple[Any, Any]:
        kinds = (AutoImageProcessor, UperNetForSemanticSegmentation)
        return whole_network(kinds, weights, download)

    return from_hub("segmentation preprocessor", weights, load)


def whole_network(
    kinds: tuple[Any, Any], weights: str, download: bool, field: str = "control.type", **how: Any
) -> tuple[Any, Any]:
    """A processor and its network, from the hub's cache or the hub.

    Args:
        kinds: transformers' classes of both. field: of the preset, that asks for them.
        how: the network is read besides.

    Raises:
        StudioError: the network's file lacks a tensor, which would be drawn at random with a remark in
            the log; names ``field``.
    """
    where = {"local_files_only": not download}
    processor = kinds[0].from_pretrained(weights, **where)
    network, info = kinds[1].from_pretrained(weights, output_loading_info=True, **where, **how)
    if info["missing_keys"]:
        raise StudioError(
            f"{weights} lacks the tensor {sorted(info['missing_keys'])[0]}; fetch it again",
            field=field,
        )
    return processor, network
