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
from studio.bench.guard import attempt
from studio.bench.random_models import write_pipeline
from studio.bench.rounds import CpuClock, CudaClock
from studio.bench.scene import Scene
from studio.engine.networks import devices
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.engine.speed.runtime import Runtime
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
        seconds: after these no further round begins, and no variant is waited for.
        only: ``ratios`` or ``variants``, without the other.
    """

    size: str = STARTER
    device: str | None = None
    steps: int | None = None
    rounds: int | None = None
    latent: int | None = None
    training: bool = False
    seconds: float | None = None
    only: str | None = None


Tell = Callable[[str], object]


def _untold(_: Any) -> None:
    """Nobody listens."""


def run(
    settings: Settings, tell: Tell = _untold, keep: Callable[[dict[str, Any]], object] = _untold
) -> dict[str, Any]:
    """Measure.

    Args:
        keep: called with what is measured so far whenever there is more.

    Returns:
        ``machine``, ``setup``, ``ratios`` (engine.md's keys), ``more``, ``seconds``,
        ``evaluations``, ``agreement`` (see :mod:`studio.bench.suite`) and ``failed``: what is left
        out, by name, and why.

    Raises:
        StudioError: the device or the starter models are not there.
    """
    device = devices.choose(settings.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    return (_trained if settings.training else _generated)(settings, device, tell, keep)


def _generated(
    settings: Settings, device: torch.device, tell: Tell, keep: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    clock = CudaClock() if device.type == "cuda" else CpuClock()
    rounds = settings.rounds or (3 if settings.size == "sd15" and device.type == "cpu" else 15)
    tell("networks")
    with _scene(settings, device) as scene:
        setup = {
            "size": settings.size,
            "latent": f"{scene.latent[1]}²",
            "steps": scene.steps,
            "rounds": rounds,
            "precision": str(scene.loader.dtype).removeprefix("torch."),
            "parameters": f"{sum(p.numel() for p in scene.network.parameters()) / 1e6:.1f} M",
        }
        result = _empty(device, setup)
        failed, limit = result["failed"], settings.seconds
        told = _Rounds(setup, tell)

        def note(found: Mapping[str, Any]) -> None:
            for key, values in found.items():
                result[key].update(values)
            keep(result)

        if settings.only != "variants":
            note(suite.measure(scene, rounds, clock, told, limit=limit, failed=failed, keep=note))
            tell("memory")
            note({"ratios": attempt("memory", failed, lambda: memory.measure(scene)) or {}})
        if settings.only != "ratios":
            tell("variants")
            variants.measure(
                scene,
                rounds,
                clock,
                limit=limit,
                failed=failed,
                keep=lambda more: note({"more": more}),
            )
    keep(result)
    return result


def _trained(
    settings: Settings, device: torch.device, tell: Tell, keep: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    clock = CudaClock() if device.type == "cuda" else CpuClock()
    rounds = settings.rounds or 15
    tell("networks")
    with (
        _library(settings, device) as (library, base, _),
        training.opened(library, base, device.type) as bench,
    ):
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
        result = _empty(device, setup)

        def note(found: Mapping[str, Any]) -> None:
            result.update(found)
            keep(result)

        note(
            training.measure(
                bench,
                rounds,
                clock,
                _Rounds(setup, tell),
                limit=settings.seconds,
                failed=result["failed"],
                keep=note,
            )
        )
    return result


def _empty(device: torch.device, setup: dict[str, Any]) -> dict[str, Any]:
    parts = ("ratios", "more", "seconds", "evaluations", "agreement", "failed")
    return {"machine": machine.describe(device), "setup": setup, **{part: {} for part in parts}}


class _Rounds:
    """Tells of rounds, and notes in the setup how many there were."""

    def __init__(self, setup: dict[str, Any], tell: Tell) -> None:
        self.setup, self.tell, self.all = setup, tell, setup["rounds"]

    def __call__(self, number: int) -> None:
        self.setup["rounds"] = number
        self.tell(f"round {number} of {self.all}")


@contextmanager
def _library(settings: Settings, device: torch.device) -> Iterator[tuple[Library, str, str]]:
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
        write_pipeline(Path(folder) / size, SHAPES[size], torch.float16, device.type)
        yield Library((Path(folder),)), size, f"{size}/lora"


@contextmanager
def _scene(settings: Settings, device: torch.device) -> Iterator[Scene]:
    with _library(settings, device) as (library, base, lora):
        yield _made(settings, library, base, lora, device, devices.precision(device))


def _made(
    settings: Settings,
    library: Library,
    base: str,
    lora: str,
    device: torch.device,
    dtype: torch.dtype,
) -> Scene:
    runtime = Runtime.chosen(device)  # what the engine runs with, its batch sizes too
    loader = Loader(library, Registry(devices.budget(device)), device, dtype, runtime)
    config: Any = loader.vae(base).config
    native = library[base].size // library[base].multiple
    # A CPU takes minutes for one evaluation of SD 1.5 at its own 64².
    large = settings.size == "sd15" and device.type == "cpu"
    edge = settings.latent or (32 if large else native)
    steps = settings.steps or (2 if large else 10 if device.type == "cuda" else 8)
    return Scene(loader, base, lora, (int(config.latent_channels), edge, edge), steps)
