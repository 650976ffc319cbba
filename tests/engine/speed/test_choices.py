"""What a run's speed can be chosen by: the environment, and what is refused."""

from __future__ import annotations

import pytest
import torch

from studio.engine.networks import devices
from studio.engine.speed.runtime import Runtime
from studio.errors import StudioError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("STUDIO_ATTENTION", "flash", "sdpa, xformers"),
        ("STUDIO_ATTENTION", "xformers", "CUDA only"),
        ("STUDIO_COMPILE", "yes", "0 or 1"),
        ("STUDIO_CHANNELS_LAST", "2", "0 or 1"),
    ],
)
def test_choices_that_cannot_be_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StudioError, match=told) as caught:
        Runtime.chosen(CPU)
    assert caught.value.field == name


def test_choices_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_COMPILE", "1")
    monkeypatch.setenv("STUDIO_CHANNELS_LAST", "1")
    chosen = Runtime.chosen(CPU)
    assert (chosen.compile, chosen.channels_last, chosen.attention) == (True, True, "sdpa")


def test_devices() -> None:
    assert devices.precision(CPU) == torch.float32
    assert devices.precision(torch.device("cuda")) == torch.float16
    assert devices.host(CPU) is None
    assert 0 < devices.budget(CPU) < 2**50
    with pytest.raises(StudioError, match="there is"):
        devices.choose("tpu")
