"""A CPU's memory: what is free, what a run takes, and what happens when it does not suffice."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from studio.engine import Engine
from studio.engine.decoding import decode
from studio.engine.families import family_named
from studio.engine.inputs.memory_check import samples_at_once
from studio.engine.networks import memory
from studio.engine.networks.devices import is_out_of_memory
from studio.errors import OutOfMemory
from studio.events import Done
from studio.library import FAMILIES, Library
from studio.preset import validate
from tests.support import tiny


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    root = tmp_path_factory.mktemp("models")
    tiny.pipeline(root / "base")
    return Engine(device="cpu", library=Library((root,)))


PRESET = validate({"base": "base", "rows": [{"prompt": "a"}], "sampler": {"steps": 2, "count": 3}})


def pictures(engine: Engine) -> np.ndarray:
    made = [np.asarray(e.image) for e in engine.generate(PRESET) if isinstance(e, Done)]
    return np.stack(made).astype(int)


def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    used = memory.psutil.Process().memory_info().vms
    assert memory.free_bytes() <= memory.psutil.virtual_memory().total
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + 2**20, used + 2**20))
    assert memory.free_bytes() < 2**24


def test_estimates_grow_with_the_picture() -> None:
    """As measured: U-Nets by the first level's width, in float32 and half of it in half precision."""
    network = tiny.unet()
    one = memory.network_bytes(network, 64)
    assert memory.network_bytes(network, 256) == 4 * one
    assert memory.network_bytes(network.half(), 64) == one // 2


def test_too_large_a_picture_is_refused_before_the_first_step(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    seen = []
    with pytest.raises(
        OutOfMemory, match=r"a picture of 16x16 takes about .* GiB are free"
    ) as caught:
        seen += list(engine.generate(PRESET))
    assert caught.value.field == "sampler.width"
    assert not [event for event in seen if getattr(event, "step", 0)]


def test_little_memory_means_small_batches_and_the_same_pictures(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = pictures(engine)
    unet, sizes = engine.registry, []
    network: Any = next(
        slot.value
        for key, slot in unet._slots.items()
        if key[0] == "unet"  # type: ignore[index]
    )
    handle = network.register_forward_pre_hook(lambda _, args: sizes.append(args[0].shape[0]))
    try:
        monkeypatch.setattr(memory, "free_bytes", lambda: 3 * memory.network_bytes(network, 64))
        found = pictures(engine)
    finally:
        handle.remove()
    assert max(sizes) <= 2
    assert np.abs(found - plain).max() <= 1  # the size of a batch changes last bits


def test_decoding_goes_in_parts_where_all_at_once_does_not_fit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, vae = family_named("sd1"), engine.loader.vae("base")
    latent = torch.randn(4, 4, 8, 8)
    expected = [image.tobytes() for image in decode(family, vae, latent, 2)]
    sizes: list[int] = []
    plain = family.decode

    def counted(vae: Any, part: torch.Tensor) -> Any:
        sizes.append(len(part))
        return plain(vae, part)

    monkeypatch.setattr(family, "decode", counted)
    monkeypatch.setattr(memory, "free_bytes", lambda: int(memory.decoder_bytes(vae, 2 * 256) / 0.8))
    assert [image.tobytes() for image in decode(family, vae, latent, 2)] == expected
    assert sizes == [2, 2]


def test_the_widest_network_of_a_plan_says_how_many_samples_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row on a wider network than the base's, whichever comes first."""
    monkeypatch.setattr(memory, "free_bytes", lambda: 40_000)
    narrow, wide = (SimpleNamespace(position_bytes=size) for size in (10, 100))
    preset = validate({"sampler": {"width": 64, "height": 64}})
    for passes in ([narrow, wide], [wide, narrow]):
        given: Any = passes
        assert samples_at_once(torch.device("cpu"), preset, given, (4, 8, 8)) == 4


def test_memory_that_runs_out_while_weights_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch makes a RuntimeError of it that holds no more than the error's words."""

    def full(*_: Any) -> None:
        raise MemoryError

    said = RuntimeError("while copying, an exception occurred : ('CUDA out of memory.',)")
    assert is_out_of_memory(said)
    layer = torch.nn.Linear(2, 2)
    state = layer.state_dict()
    monkeypatch.setattr(torch.Tensor, "copy_", full)
    with pytest.raises(RuntimeError) as caught:
        layer.load_state_dict(state)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_forward_is_as_wide_as_the_network(name: str) -> None:
    """By the config of the family's own size, which diffusers has as its default."""
    kind = getattr(diffusers, FAMILIES[name].network)
    config = {n: one.default for n, one in inspect.signature(kind.__init__).parameters.items()}
    network = SimpleNamespace(config=config, parameters=lambda: iter([torch.zeros(1)]))
    width = memory.network_bytes(network, 1) / (memory.NETWORK_COPIES * 4)
    assert 300 <= width <= 10_000
