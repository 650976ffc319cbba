"""Where a network's tensors lie: their bytes, sharing between networks, the move off a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass


class Host(Protocol):
    """Where networks wait that have left the device: see :class:`PinnedMemory`."""

    budget: int

    def take(self, value: nn.Module) -> None:
        """Move ``value`` off the device, in place."""

    def give(self, value: nn.Module) -> None:
        """Move ``value`` back onto the device, in place."""


@dataclass
class PinnedMemory:
    """Page-locked CPU memory behind a GPU; at most ``budget`` bytes."""

    budget: int
    device: torch.device

    def take(self, value: nn.Module) -> None:
        """Copy to the host; the device's memory is free once nothing else names it."""
        _replace(value, lambda tensor: tensor.cpu().pin_memory())

    def give(self, value: nn.Module) -> None:
        """Copy to the device; from pinned memory the copies overlap."""
        _replace(value, lambda tensor: tensor.to(self.device, non_blocking=True))


def share_equal(network: nn.Module, base: nn.Module) -> int:
    """Point ``network``'s tensors at ``base``'s where they are equal; returns the bytes saved.

    Neither may be written to afterwards.
    """
    theirs, saved = dict(_named(base)), 0
    for name, tensor in _named(network):
        other = theirs.get(name)
        if (
            other is not None
            and not is_traceable_wrapper_subclass(other)
            and not is_traceable_wrapper_subclass(tensor)
            and other.data_ptr() != tensor.data_ptr()
            and other.dtype == tensor.dtype
            and other.device == tensor.device
            and torch.equal(other, tensor)
        ):
            tensor.data = other.data
            saved += tensor.numel() * tensor.element_size()
    return saved


def _named(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def storages(value: Any) -> dict[int, int]:
    """Bytes by address of a module's parameters and buffers, or of an adapter's ``tensors()``."""
    if isinstance(value, nn.Module):
        tensors = [tensor for _, tensor in _named(value)]
    else:
        tensors = list(value.tensors()) if hasattr(value, "tensors") else []
    plain = [inner for tensor in tensors for inner in _plain(tensor)]
    return {t.data_ptr(): t.numel() * t.element_size() for t in plain if t.numel()}


def _plain(tensor: Tensor) -> list[Tensor]:
    """Itself, or what a quantised tensor is made of: it has no memory of its own."""
    if not is_traceable_wrapper_subclass(tensor):
        return [tensor]
    names, _ = tensor.__tensor_flatten__()
    parts = (getattr(tensor, name) for name in names)
    return [inner for part in parts if isinstance(part, Tensor) for inner in _plain(part)]


def dtype_of(network: nn.Module) -> torch.dtype:
    """What a network reckons in: of its first weights that are not rounded to bytes."""
    weights = network.parameters()
    return next((one.dtype for one in weights if one.is_floating_point()), torch.float32)


def device_of(value: Any) -> torch.device | str:
    """Where the first tensor of a module or adapter lies."""
    if isinstance(value, nn.Module):
        return next((tensor.device for _, tensor in _named(value)), "cpu")
    return next((t.device for t in value.tensors()), "cpu") if hasattr(value, "tensors") else "cpu"


def _replace(module: nn.Module, move: Callable[[Tensor], Tensor]) -> None:
    for _, tensor in _named(module):
        tensor.data = move(tensor.data)
