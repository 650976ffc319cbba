"""Weights that are rounded to few bits, as adapters see them: in their own shape, unfolded when read."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass


def shape_of(module: nn.Module) -> torch.Size:
    """The shape of a layer's weight; a GGUF file's lies there as bytes, in another one."""
    assert isinstance(module.weight, Tensor)  # only layers with a weight have names
    return torch.Size(getattr(module.weight, "quant_shape", module.weight.shape))


def weight_of(module: nn.Module) -> Tensor:
    """A layer's weight as plain numbers."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    if hasattr(weight, "quant_type"):
        from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor

        return dequantize_gguf_tensor(weight)
    return weight.dequantize() if is_traceable_wrapper_subclass(weight) else weight
