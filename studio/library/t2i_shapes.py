"""T2I-Adapters in one file: their tensors in diffusers' names, and their config by the shapes.

Mou et al. 2023 save ``body`` as one list over all levels (``body.3.block1.weight``), light adapters
as a list within each (``body.1.body.3.block1.weight``); diffusers has ``adapter.body.1.resnets.1.…``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isqrt
from typing import Any

from studio.library.family import Shapes

PER_LEVEL = 2  # blocks of a level, of full adapters in the original names
XL_FACTOR = 16  # pixels along one position of an XL adapter's first features
MARKS = ("adapter.body.", "body.0.block1.", "body.0.body.0.block1.")
_FULL = re.compile(r"body\.(\d+)\.(block[12]|in_conv)\.(.*)")
_LIGHT = re.compile(r"body\.(\d+)\.body\.(\d+)\.(.*)")


def their_names(names: Iterable[str]) -> dict[str, str]:
    """Names of a file's tensors → diffusers' names."""
    names = list(names)
    if any(name.startswith("adapter.") for name in names):
        return {name: name for name in names}
    light = any(_LIGHT.fullmatch(name) for name in names)
    return {name: f"adapter.{(_of_light if light else _of_full)(name)}" for name in names}


def _of_light(name: str) -> str:
    found = _LIGHT.fullmatch(name)
    return f"body.{found[1]}.resnets.{found[2]}.{found[3]}" if found else name


def _of_full(name: str) -> str:
    found = _FULL.fullmatch(name)
    if found is None:
        return name
    level, block = divmod(int(found[1]), PER_LEVEL)
    if found[2] == "in_conv":
        return f"body.{level}.in_conv.{found[3]}"
    return f"body.{level}.resnets.{block}.{found[2]}.{found[3]}"


def t2i_config(shapes: Shapes) -> dict[str, Any]:
    """Config of a ``T2IAdapter`` from the shapes of its file.

    Raises:
        KeyError: names the tensor that is needed and not there.
    """
    names = their_names(shapes)
    mine = {names[name]: shape for name, shape in shapes.items()}
    levels = _count(mine, "adapter.body.")
    light = "adapter.body.0.out_conv.weight" in mine
    first = mine["adapter.body.0.in_conv.weight" if light else "adapter.conv_in.weight"][1]
    channels, factor = _unshuffled(first)
    if light:  # the last level repeats the width of the one before
        widths = [mine[f"adapter.body.{n}.out_conv.weight"][0] for n in range(levels - 1)]
    else:
        widths = [mine[f"adapter.body.{n}.resnets.0.block1.weight"][0] for n in range(levels)]
    full = "full_adapter_xl" if factor == XL_FACTOR else "full_adapter"
    return {
        "_class_name": "T2IAdapter",
        "in_channels": channels,
        "channels": widths,
        "num_res_blocks": _count(mine, "adapter.body.0.resnets."),
        "downscale_factor": factor,
        "adapter_type": "light_adapter" if light else full,
    }


def _unshuffled(width: int) -> tuple[int, int]:
    """Channels of the map and pixels a position, from what the first convolution reads."""
    for channels in (3, 1):
        factor = isqrt(width // channels)
        if channels * factor**2 == width:
            return channels, factor
    raise KeyError(f"adapter.conv_in.weight ({width} channels)")


def _count(shapes: Shapes, prefix: str) -> int:
    """How many numbers follow ``prefix``."""
    return len({key[len(prefix) :].split(".")[0] for key in shapes if key.startswith(prefix)})
