"""The registry: one load, a byte budget that is kept, and accounts that agree with what lives."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import nn

from studio.engine.networks.registry import Registry
from studio.engine.networks.storage import share_equal
from studio.errors import OutOfMemory

BYTES = 400  # of one network of these tests


def net(fill: float = 0.0) -> nn.Module:
    layer = nn.Linear(10, 10, bias=False)
    layer.weight.data.fill_(fill)
    return layer.requires_grad_(False)


def keys(registry: Registry) -> set:
    return {item["key"] for item in registry.describe()}


class Counted:
    """A loader that counts its calls and remembers, weakly, what it made."""

    def __init__(self, fill: float = 0.0) -> None:
        self.calls, self.fill, self.made = 0, fill, []

    def __call__(self) -> nn.Module:
        self.calls += 1
        made = net(self.fill)
        self.made.append(weakref.ref(made))
        return made

    def alive(self) -> int:
        gc.collect()
        return sum(reference() is not None for reference in self.made)


class Shelf:
    """A host tier on a machine without a GPU: notes what came and went."""

    def __init__(self, budget: int) -> None:
        self.budget, self.moves = budget, []

    def take(self, value: nn.Module) -> None:
        self.moves.append("take")
        value.weight.data = value.weight.data.clone()

    def give(self, value: nn.Module) -> None:
        self.moves.append("give")
        value.weight.data = value.weight.data.clone()


def test_two_requests_at_once_are_one_load() -> None:
    registry, entered, release = Registry(900), threading.Event(), threading.Event()
    loader = Counted()

    def slow() -> nn.Module:
        entered.set()
        release.wait(60)
        return loader()

    found: list[nn.Module] = []
    threads = [
        threading.Thread(target=lambda: found.append(registry.get("a", slow))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    assert entered.wait(60)
    release.set()
    for thread in threads:
        thread.join()
    assert loader.calls == 1
    assert len({id(network) for network in found}) == 1


def test_oldest_leaves_first_and_what_a_run_holds_stays() -> None:
    registry = Registry(2 * BYTES)
    lease = registry.lease()
    with lease.recording():
        registry.get("a", net)
    registry.get("b", net)
    registry.get("c", net)
    assert keys(registry) == {"a", "c"}
    lease.close()
    lease.close()
    registry.get("d", net)
    assert keys(registry) == {"c", "d"}
    registry.get("c", net)
    registry.get("e", net)
    assert keys(registry) == {"c", "e"}


def test_a_lease_keeps_all_it_asked_for_even_over_the_budget_and_gives_it_back() -> None:
    registry = Registry(2 * BYTES)
    lease = registry.lease()
    with lease.recording():
        for key in "abc":
            registry.get(key, net)
    assert keys(registry) == {"a", "b", "c"}
    lease.close()
    assert registry.total() == 2 * BYTES


def test_room_is_made_before_loading() -> None:
    registry, loader = Registry(2 * BYTES), Counted()
    registry.get("a", loader)
    registry.get("b", loader)

    def load() -> nn.Module:
        assert keys(registry) == {"b"}  # the oldest has left already
        return net()

    registry.get("c", load, expected=BYTES)
    assert loader.alive() == 1


def test_what_can_never_fit_is_refused_with_its_bytes() -> None:
    loader = Counted()
    with pytest.raises(OutOfMemory, match="1000000 bytes"):
        Registry(900).get("a", loader, expected=10**6)
    assert loader.calls == 0


def test_a_load_that_fails_leaves_nothing_behind() -> None:
    registry = Registry(900)
    with pytest.raises(ZeroDivisionError):
        registry.get("broken", lambda: 1 / 0)
    assert keys(registry) == set()
    assert registry.get("broken", net) is not None


def test_equal_tensors_of_base_and_variant_are_one() -> None:
    def pair(second: float) -> Callable[[], nn.Module]:
        return lambda: nn.Sequential(net(1.0), net(second))

    registry = Registry(10**6)
    base = registry.get("base", pair(2.0))
    tuned = registry.get("tuned", pair(3.0), like="base")
    assert registry.total() == 3 * BYTES
    assert tuned[0].weight.data_ptr() == base[0].weight.data_ptr()
    assert float(tuned[1].weight[0, 0]) == 3.0
    registry.drop(lambda key: key == "base")
    assert registry.total() == 2 * BYTES  # what the variant still needs
    assert float(tuned[0].weight[0, 0]) == 1.0


def test_other_types_are_not_shared() -> None:
    one, half = net(1.0), net(1.0).half()
    assert share_equal(half, one) == 0
    assert half.weight.dtype == torch.float16


def test_host_tier_keeps_what_left_and_brings_it_back_without_loading() -> None:
    host = Shelf(budget=BYTES)
    registry, loader = Registry(2 * BYTES, host), Counted(7.0)
    first = registry.get("a", loader)
    registry.get("b", loader)
    registry.get("c", loader)
    assert (registry.total(), registry.waiting(), host.moves) == (2 * BYTES, BYTES, ["take"])
    assert registry.get("a", loader) is first
    assert float(first.weight[0, 0]) == 7.0
    assert (loader.calls, host.moves) == (3, ["take", "take", "give"])
    registry.get("d", loader)  # two have left by now; the host holds one, the other is dropped
    assert (registry.total(), registry.waiting()) == (2 * BYTES, BYTES)
    assert loader.alive() == 3


def test_streaming_holds_one_group_at_a_time() -> None:
    registry = Registry(BYTES)
    loaders = {key: Counted() for key in "abc"}
    for _ in range(2):
        for key, loader in loaders.items():
            with registry.holding(lambda k=key, f=loader: registry.get(k, f, expected=BYTES)):
                assert registry.total() == BYTES
                assert [item["pinned"] for item in registry.describe()] == [True]
    assert [loader.calls for loader in loaders.values()] == [2, 2, 2]
    assert sum(loader.alive() for loader in loaders.values()) == 1


def test_twenty_swaps_leave_memory_flat() -> None:
    registry, loader, totals = Registry(3 * BYTES), Counted(), []
    for number in range(20):
        lease = registry.lease()
        with lease.recording():
            for name in ("base", f"variant-{number % 5}"):
                registry.get(name, loader)
        lease.close()
        totals.append((registry.total(), loader.alive() * BYTES))
    assert totals[3:] == [totals[3]] * 17
    assert totals[-1][0] == totals[-1][1] == 3 * BYTES
