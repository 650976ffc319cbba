"""Pictures whose opposite edges meet: convolutions that look across the edge to the other side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, HEIGHT = 3, 2  # axes of a tensor (batch, channels, h, w)
AXES = {"off": (), "x": (WIDTH,), "y": (HEIGHT,), "both": (WIDTH, HEIGHT)}
_PADDED: WeakKeyDictionary[nn.Module, list[nn.Conv2d]] = WeakKeyDictionary()


@contextmanager
def wrapping(networks: Iterable[nn.Module], axes: Collection[int]) -> Iterator[None]:
    """Inside the ``with``, what convolutions of these networks see beyond an edge along one of the
    ``axes`` is what lies at the opposite edge, instead of zeros; without axes nothing changes.

    LoRAs on a convolution look as it does. An autoencoder that encodes keeps zeros where it halves.
    """
    changed: list[nn.Conv2d] = []
    try:
        for network in networks if axes else ():
            for layer in _padded(network):
                layer.__dict__["_conv_forward"] = partial(_convolved, layer, axes)
                changed.append(layer)
        yield
    finally:
        for layer in changed:
            layer.__dict__.pop("_conv_forward", None)


def _padded(network: nn.Module) -> list[nn.Conv2d]:
    """Its convolutions that look beyond an edge."""
    if network not in _PADDED:
        layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
        _PADDED[network] = [m for m in layers if not isinstance(m.padding, str) and any(m.padding)]
    return _PADDED[network]


def _convolved(
    layer: nn.Conv2d, axes: Collection[int], input: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """``layer`` on what has its opposite edges beside it; along other axes zeros stay."""
    high, wide = (int(side) for side in layer.padding)
    across = wide if WIDTH in axes else 0
    along = high if HEIGHT in axes else 0
    given = F.pad(input, (across, across, along, along), mode="circular")
    rest = (high - along, wide - across)
    return F.conv2d(given, weight, bias, layer.stride, rest, layer.dilation, layer.groups)


def continued(image: Image.Image, pixels: tuple[int, int]) -> Image.Image:
    """A picture with so many pixels of its opposite edge on each side, across and down."""
    across, down = pixels
    if not (across or down):
        return image
    return Image.fromarray(
        np.pad(np.asarray(image), ((down, down), (across, across), (0, 0)), "wrap")
    )
