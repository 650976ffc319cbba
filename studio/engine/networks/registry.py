"""A cache of networks under a byte budget. Knows no prompt, coefficient or preset.

Least recently used networks leave first; what a running plan holds never leaves. On a GPU what
leaves goes to pinned CPU memory and comes back from there, so that a disk is read once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from studio.engine.networks.storage import Host, device_of, share_equal, storages
from studio.errors import OutOfMemory


@dataclass
class _Slot:
    value: Any = None
    storages: dict[int, int] = field(default_factory=dict)
    pins: int = 0
    waiting: bool = False  # on the host, off the device
    like: Hashable = None
    ready: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    @property
    def bytes(self) -> int:
        return sum(self.storages.values())


class Lease:
    """What one run holds: everything asked for while it records stays until it is closed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._held: list[_Slot] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Hold what this thread gets from the registry inside the ``with``."""
        local = self._registry._local
        before, local.lease = getattr(local, "lease", None), self
        try:
            yield
        finally:
            local.lease = before

    def add(self, slot: _Slot) -> None:
        """Pin a slot, once; the registry's lock is held."""
        if not any(held is slot for held in self._held):
            slot.pins += 1
            self._held.append(slot)

    def close(self) -> None:
        """Let go of everything; closing twice does nothing."""
        with self._registry._lock:
            for slot in self._held:
                slot.pins -= 1
            self._held.clear()
            self._registry._shrink()


class Registry:
    """Networks by key, each loaded once.

    Args:
        budget: bytes of weights that may stay on the device.
        host: where networks wait that have left the device; without one they are dropped.
    """

    def __init__(self, budget: int, host: Host | None = None) -> None:
        self.budget = budget
        self.host = host
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = threading.RLock()
        self._local = threading.local()

    def get(
        self, key: Hashable, load: Callable[[], Any], expected: int = 0, like: Hashable = None
    ) -> Any:
        """The value of ``key``, loaded once even when two threads ask at the same time.

        Args:
            load: makes the value when it is not here.
            expected: its bytes as far as they are known; room is made for them beforehand.
            like: key of a network with many equal weights (a fine-tune's base): where that one
                is resident, equal tensors become one.

        Raises:
            OutOfMemory: ``expected`` alone is more than the budget.
        """
        with self._lock:
            slot = self._slots.get(key)
            mine = slot is None
            if slot is None:
                self.check_fits(expected)
                slot = self._slots[key] = _Slot(like=like)
            self._slots.move_to_end(key)
            lease: Lease | None = getattr(self._local, "lease", None)
            if lease is not None:
                lease.add(slot)
            if slot.waiting:
                self._bring_back(slot)
        if mine:
            self._fill(key, slot, load, expected)
        slot.ready.wait()
        if slot.error is not None:
            raise slot.error
        return slot.value

    def lease(self) -> Lease:
        """A run's hold on the networks that it asks for; close it when the run ends."""
        return Lease(self)

    @contextmanager
    def holding(self, ask: Callable[[], Any]) -> Iterator[Any]:
        """What ``ask`` gets, held for the length of the ``with``: one group of a streamed plan."""
        with closing(self.lease()) as lease:
            with lease.recording():
                value = ask()
            yield value

    def check_fits(self, needed: int) -> None:
        """Raise :class:`OutOfMemory` when ``needed`` bytes exceed the budget."""
        if needed > self.budget:
            raise OutOfMemory(
                f"{needed} bytes of weights ({needed / 2**30:.2f} GiB) are needed at once; the "
                f"budget is {self.budget} ({self.budget / 2**30:.2f} GiB)",
                field="rows",
            )

    def drop(self, match: Callable[[Hashable], bool]) -> None:
        """Forget what matches and is not held."""
        with self._lock:
            for key in [k for k, s in self._slots.items() if match(k) and not s.pins]:
                del self._slots[key]

    def describe(self) -> list[dict[str, Any]]:
        """What is loaded, oldest first: key, bytes, device, whether a run holds it (``pinned``)
        and whether it waits off the device (``waiting``)."""
        with self._lock:
            return [
                {
                    "key": key,
                    "bytes": slot.bytes,
                    "device": str(device_of(slot.value)),
                    "pinned": slot.pins > 0,
                    "waiting": slot.waiting,
                }
                for key, slot in self._slots.items()
                if slot.ready.is_set()
            ]

    def total(self) -> int:
        """Bytes on the device; what several networks share counts once."""
        return sum(self._union(waiting=False).values())

    def waiting(self) -> int:
        """Bytes on the host."""
        return sum(self._union(waiting=True).values())

    def _union(self, waiting: bool) -> dict[int, int]:
        with self._lock:
            slots = [slot for slot in self._slots.values() if slot.waiting == waiting]
            return {pointer: size for slot in slots for pointer, size in slot.storages.items()}

    def _fill(self, key: Hashable, slot: _Slot, load: Callable[[], Any], expected: int) -> None:
        inner = self.lease()  # what loading itself asks for, such as the networks of a blend
        try:
            self._shrink(expected)
            with inner.recording():
                slot.value = load()
            with self._lock:
                self._share(slot)
        except BaseException as error:
            slot.error = error
            with self._lock:
                if self._slots.get(key) is slot:
                    del self._slots[key]
            raise
        finally:
            slot.ready.set()
            inner.close()
        self._shrink(keep=key)

    def _share(self, slot: _Slot) -> None:
        """Let equal tensors of ``slot`` and of the network it is like be one; count its bytes."""
        other = self._slots.get(slot.like) if slot.like is not None else None
        if (
            other is not None
            and other.ready.is_set()
            and not other.waiting
            and isinstance(slot.value, nn.Module)
        ):
            share_equal(slot.value, other.value)
        slot.storages = storages(slot.value)

    def _bring_back(self, slot: _Slot) -> None:
        assert self.host is not None
        self._shrink(slot.bytes)
        self.host.give(slot.value)
        slot.waiting = False
        self._share(slot)

    def _shrink(self, coming: int = 0, keep: Hashable = None) -> None:
        """Let the oldest leave until ``coming`` more bytes fit, or nothing more may leave."""
        with self._lock:
            for key, slot in list(self._slots.items()):
                if self.total() + coming <= self.budget:
                    break
                if key != keep and not slot.pins and not slot.waiting and slot.ready.is_set():
                    self._evict(key, slot)
            for key, slot in list(self._slots.items()):
                if self.host is None or self.waiting() <= self.host.budget:
                    break
                if slot.waiting and not slot.pins:
                    del self._slots[key]

    def _evict(self, key: Hashable, slot: _Slot) -> None:
        if (
            self.host is None
            or slot.bytes > self.host.budget
            or not isinstance(slot.value, nn.Module)
        ):
            del self._slots[key]
            return
        self.host.take(slot.value)
        slot.waiting = True
        slot.storages = storages(slot.value)
