"""Counting instead of timing: network evaluations and bytes alive, the same on every machine."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only


@contextmanager
def evaluations(network: nn.Module) -> Iterator[list[int]]:
    """Batch sizes of a U-Net's forwards inside the ``with``; their sum is its evaluations."""
    seen: list[int] = []

    def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        seen.append(output.shape[0])

    last = next(m for name, m in network.named_modules() if name.split(".")[-1] == "conv_out")
    handle = last.register_forward_hook(note)
    try:
        yield seen
    finally:
        handle.remove()


def peak_bytes(work: Callable[[], object], device: torch.device) -> int:
    """The most bytes of tensors that were alive at once while ``work`` ran.

    On CUDA the allocator's own figure, above what was there before; elsewhere counted tensor by
    tensor, without the scratch memory inside an operation.
    """
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with _Alive() as alive:
        work()
    return alive.peak


class _Alive(TorchDispatchMode):
    """Adds up the storages that operations put out, and takes them off as they go."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = self.now = 0
        self._known: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        known = {
            t.untyped_storage().data_ptr()
            for t in (*args, *(kwargs or {}).values())
            if isinstance(t, Tensor)
        }
        tree_map_only(Tensor, lambda tensor: self._note(tensor, known), output)
        return output

    def _note(self, tensor: Tensor, inputs: set[int]) -> None:
        storage = tensor.untyped_storage()
        address = storage.data_ptr()
        if address in self._known or address in inputs or not storage.nbytes():
            return
        self._known[address] = storage.nbytes()
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, address)

    def _gone(self, address: int) -> None:
        self.now -= self._known.pop(address, 0)
