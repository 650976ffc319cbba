"""One scene of a tiny network, and what the suite finds of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from studio.bench import machine, suite
from studio.bench.random_models import write_pipeline
from studio.bench.scene import Scene
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.library import Library
from tests.support.benchmark import STEPS, TINY, Counter


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("bench")
    write_pipeline(folder / "base", TINY, torch.float32)
    loader = Loader(Library((folder,)), Registry(2**30), torch.device("cpu"), torch.float32)
    yield Scene(loader, "base", "base/lora", (4, 8, 8), STEPS)


@pytest.fixture(scope="module")
def result(scene: Scene) -> dict:
    found = suite.measure(scene, 2, Counter())
    return {"machine": machine.describe(torch.device("cpu")), "setup": {"steps": STEPS}, **found}
