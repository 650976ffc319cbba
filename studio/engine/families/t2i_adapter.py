"""T2I-Adapters in one file: config and tensors as diffusers' class takes them."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from studio.library import ModelFamily
from studio.library.family import FileLayout, Shapes
from studio.library.t2i_shapes import t2i_config, their_names


def config_in_file(shapes: Shapes, family: ModelFamily, layout: FileLayout) -> dict[str, Any]:
    """Config of a ``T2IAdapter``, which the shapes alone say.

    Raises:
        KeyError: names the tensor that is needed and not there.
    """
    del family, layout
    return t2i_config(shapes)


def converted(checkpoint: dict[str, Tensor], config: dict[str, Any]) -> dict[str, Tensor]:
    """The original code's tensors under diffusers' names."""
    del config
    names = their_names(checkpoint)
    return {names[name]: tensor for name, tensor in checkpoint.items()}
