"""One run of the whole benchmark."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from studio.bench import machine, memory, suite, training, variants
from studio.bench.random_models import write_pipeline
from studio.bench.rounds import CpuClock, CudaClock
from studio.bench.scene import Scene
from studio.engine.networks import devices
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.errors import MissingModel
from studio.library import Library

STARTER = "starter"
# U-Nets of random weights: engine.md's aims were measured on `small`, 37.5 M parameters.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "small": {"block_out_channels": (64, 128, 256, 256), "sample_size": 16},
    "sd15": {},
}


@dataclass(frozen=True)
class Settings:
    """What is run; ``None`` is what suits the size and the device.

    Args:
        size: ``starter`` (the shipped models), or random weights of Stable Diffusion 1.5's shape:
            ``sd15`` (860 M parameters) or ``small`` (all blocks and layers, a fifth of the width).
        device: ``cuda`` or ``cpu``.
        steps: denoising steps of a run.
        rounds: how often each run is timed.
        latent: edge of the latents.
        training: measure steps of trainings instead of generation.
    """

    size: str = STARTER
    device: str | None = None
    steps: int | None = None
    rounds: int | None = None
    latent: int | None = None
    training: bool = False


def run(settings: Settings, tell: Callable[[str], object] = lambda _: None) -> dict[str, Any]:
    """Measure.

    Returns:
        ``machine``, ``setup``, ``ratios`` (engine.md's keys), ``more``, ``seconds``,
        ``evaluations`` and ``agreement``; see :mod:`studio.bench.suite`.

    Raises:
        StudioError: the device or the starter models are not there.
    """
    device = devices.choose(settings.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    if settings.training:
        return _trained(settings, device, tell)
    with _scene(settings, device) as scene:
        tell("memory")
        bytes_ = memory.measure(scene)
        clock = CudaClock() if device.type == "cuda" else CpuClock()
        rounds = settings.rounds or (3 if settings.size == "sd15" and device.type == "cpu" else 15)
        found = suite.measure(scene, rounds, clock, lambda n: tell(f"round {n} of {rounds}"))
        tell("variants")
        more = variants.measure(scene, rounds, clock)
    setup = {
        "size": settings.size,
        "latent": f"{scene.latent[1]}²",
        "steps": scene.steps,
        "rounds": rounds,
        "precision": str(scene.loader.dtype).removeprefix("torch."),
        "parameters": f"{sum(p.numel() for p in scene.network.parameters()) / 1e6:.1f} M",
    }
    found["ratios"].update(bytes_)
    found["more"].update(more)
    return {"machine": machine.describe(device), "setup": setup, **found}


def _trained(
    settings: Settings, device: torch.device, tell: Callable[[str], object]
) -> dict[str, Any]:
    clock = CudaClock() if device.type == "cuda" else CpuClock()
    rounds = settings.rounds or 15
    with (
        _library(settings) as (library, base, _),
        training.opened(library, base, device.type) as bench,
    ):
        found = training.measure(bench, rounds, clock, lambda n: tell(f"round {n} of {rounds}"))
        network: Any = bench.lora_job.adaptation.trainee.network
        precision = bench.accelerator.mixed_precision
        shape = bench.lora_job.pictures.latents[0].shape
    setup = {
        "size": settings.size,
        "latent": f"{shape[0]}×{shape[1]}",
        "batch": bench.lora.batch,
        "rounds": rounds,
        "precision": {"no": "float32"}.get(precision, precision),
        "parameters": f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f} M",
    }
    return {"machine": machine.describe(device), "setup": setup, **found}


@contextmanager
def _library(settings: Settings) -> Iterator[tuple[Library, str, str]]:
    """A library, and the ids in it of the base and of a LoRA for it."""
    if settings.size == STARTER:
        library = Library()
        lora = next((e.id for e in library.entries() if e.kind == "lora" and e.base == STARTER), "")
        if not lora:
            raise MissingModel("the shipped starter models hold no LoRA", field="--size")
        yield library, STARTER, lora
        return
    with tempfile.TemporaryDirectory() as folder:
        size = settings.size
        write_pipeline(Path(folder) / size, SHAPES[size], torch.float16)
        yield Library((Path(folder),)), size, f"{size}/lora"


@contextmanager
def _scene(settings: Settings, device: torch.device) -> Iterator[Scene]:
    with _library(settings) as (library, base, lora):
        yield _made(settings, library, base, lora, device, devices.precision(device))


def _made(
    settings: Settings,
    library: Library,
    base: str,
    lora: str,
    device: torch.device,
    dtype: torch.dtype,
) -> Scene:
    loader = Loader(library, Registry(devices.budget(device)), device, dtype)
    config: Any = loader.vae(base).config
    native = library[base].size // library[base].multiple
    # A CPU takes minutes for one evaluation of SD 1.5 at its own 64².
    large = settings.size == "sd15" and device.type == "cpu"
    edge = settings.latent or (32 if large else native)
    steps = settings.steps or (2 if large else 10 if device.type == "cuda" else 8)
    return Scene(loader, base, lora, (int(config.latent_channels), edge, edge), steps)
