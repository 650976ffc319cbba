"""Weights that are rounded to few bits: in their own shape, and as plain numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass


def shape_of(weight: Tensor | nn.Module) -> torch.Size:
    """The shape of a weight; a GGUF file's lies there as bytes, in another one."""
    assert isinstance(weight, Tensor)  # to its type a layer's may be a module
    return torch.Size(getattr(weight, "quant_shape", weight.shape))


def unfolded(weight: Tensor | nn.Module) -> Tensor:
    """A weight as plain numbers."""
    assert isinstance(weight, Tensor)
    if hasattr(weight, "quant_type"):
        from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor

        return dequantize_gguf_tensor(weight)
    return weight.dequantize() if is_traceable_wrapper_subclass(weight) else weight
