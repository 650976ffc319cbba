"""Where in a picture is what words say: by CLIPSeg, a segmentation network of the hub."""

from __future__ import annotations

import threading
from typing import Any, cast

import numpy as np
from PIL import Image

from studio.auxiliary import auxiliary
from studio.preprocessors.learned import from_hub, may_download, whole_network
from studio.preset import Detail
from studio.preset.finders import FINDERS

WEIGHTS = FINDERS["words"].weights
_TURN = threading.Lock()
LEAST = 1 / 4096  # of the picture: what is smaller is a speck


def ready() -> None:
    """See that the network is here.

    Raises:
        StudioError: it is not, and may not or cannot be fetched.
    """
    with _TURN:
        _network(may_download())


def worded_masks(picture: Image.Image, detail: Detail) -> list[Image.Image]:
    """A mask (L, of the picture's size) for each connected part that one of the phrases names.

    Args:
        picture: RGB. detail: its words, and how sure the network must be of each pixel.

    Raises:
        StudioError: the weights are not here and may not or cannot be fetched.
    """
    return [
        part
        for phrase in dict.fromkeys(detail.phrases())
        for part in _parts(np.asarray(heat_map(picture, phrase)) >= detail.confidence, detail.most)
    ]


def heat_map(picture: Image.Image, phrase: str) -> Image.Image:
    """How sure the network is at each pixel, 0 to 1 (mode F, of the picture's size)."""
    import torch

    with _TURN:  # one at a time, whoever asks
        processor, network = _network(may_download())
        read = processor(text=[phrase], images=[picture], truncation=True, return_tensors="pt")
        with torch.inference_mode():
            sure = torch.sigmoid(network(**read).logits.float())
    sure = sure.reshape(sure.shape[-2:]).numpy()  # of one phrase it has no first axis
    return Image.fromarray(sure).resize(picture.size, Image.Resampling.BILINEAR)


def _parts(inside: np.ndarray, most: int) -> list[Image.Image]:
    """The largest connected parts that are more than specks, at most so many."""
    from scipy.ndimage import label

    places, count = cast(tuple[np.ndarray, int], label(inside))
    sizes = np.bincount(places.ravel(), minlength=count + 1)
    large = [part for part in range(1, count + 1) if sizes[part] >= LEAST * inside.size]
    chosen = sorted(large, key=lambda part: -sizes[part])[:most]
    return [Image.fromarray((places == part).astype(np.uint8) * 255) for part in chosen]


@auxiliary()
def _network(download: bool) -> tuple[Any, Any]:
    from transformers import AutoProcessor, CLIPSegForImageSegmentation

    def load() -> tuple[Any, Any]:
        kinds = (AutoProcessor, CLIPSegForImageSegmentation)
        read = whole_network(kinds, WEIGHTS, download, "detail.finder", use_safetensors=True)
        return read[0], read[1].eval()

    return from_hub(
        "search by words", WEIGHTS, load, "detail.finder", "look for faces, which needs none"
    )
