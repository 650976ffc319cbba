"""Precision, memory layout, attention, batch sizes and compilation, each against the default."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import torch
from torch import Tensor, nn

from studio.bench.guard import attempt
from studio.bench.rounds import Case, Clock, interleave, ratio
from studio.bench.scene import Scene
from studio.bench.suite import apart
from studio.engine.speed.runtime import CUDA_BUCKETS, Regions, Runtime, next_batch

COUNT = 4  # samples in one batch


def measure(
    scene: Scene,
    rounds: int,
    clock: Clock,
    *,
    limit: float | None = None,
    failed: MutableMapping[str, str] | None = None,
    keep: Callable[[dict[str, dict[str, float]]], object] = lambda _: None,
) -> dict[str, dict[str, float]]:
    """Ratios of bare forwards: below 1 the variant is the faster; ``error`` is relative.

    Args:
        limit: seconds for all of them; on CUDA, where compiling takes minutes, the last waits for
            nothing but what is left.
        failed: takes what could not be measured here, by name.
        keep: called with what there is after each.
    """
    begun, failed = time.monotonic(), {} if failed is None else failed
    made: dict[str, Callable[[], dict[str, float]]] = {
        "channels_last_vs_contiguous": lambda: _against(scene, rounds, clock, _channels_last),
        f"{_half(scene)}_vs_float32".replace("torch.", ""): lambda: _precision(
            scene, rounds, clock
        ),
    }
    if scene.loader.device.type == "cuda":
        for samples in (3, 5, 7, 9):
            made[f"buckets_vs_any_size_{samples}"] = lambda samples=samples: _buckets(
                scene, rounds, clock, samples
            )
        made["xformers_vs_sdpa"] = lambda: _against(scene, rounds, clock, _xformers)
        made["compiled_vs_eager"] = lambda: _against(scene, rounds, clock, _compiled)
    found = {}
    for name, work in made.items():
        left = None if limit is None else limit - (time.monotonic() - begun)
        if left is not None and left <= 0:
            failed[name] = "no time was left"
            continue
        figures = attempt(name, failed, work, left)
        if figures is not None:
            found[name] = figures
        keep(found)
    return found


def _half(scene: Scene) -> torch.dtype:
    return torch.float16 if scene.loader.device.type == "cuda" else torch.bfloat16


def _forward(scene: Scene, network: nn.Module, dtype: torch.dtype, count: int = COUNT) -> Tensor:
    text = scene.states[:1].expand(count, -1, -1).to(dtype)
    z = scene.noise.to(dtype).expand(count, -1, -1, -1)
    t = scene.scheduler().timesteps[0]
    with torch.inference_mode():
        return network(z, t, encoder_hidden_states=text, return_dict=False)[0]


def _against(
    scene: Scene, rounds: int, clock: Clock, change: Callable[[nn.Module], Callable[[], Any]]
) -> dict[str, float]:
    """``change`` makes of a network's copy what is called in place of the plain forward."""
    plain, dtype = scene.network, scene.states.dtype
    other = copy.deepcopy(plain)
    enter = change(other)

    def changed() -> Tensor:
        with enter():
            return _forward(scene, other, dtype)

    seconds = interleave(
        {"plain": Case(lambda: _forward(scene, plain, dtype)), "changed": Case(changed)},
        rounds,
        clock,
    )
    error = apart(changed(), _forward(scene, plain, dtype))
    return {**ratio(seconds["changed"], seconds["plain"]).as_dict(), "error": error}


def _channels_last(network: nn.Module) -> Callable[[], Any]:
    Runtime(channels_last=True).arrange(network)
    return torch.inference_mode


def _xformers(network: nn.Module) -> Callable[[], Any]:
    Runtime(attention="xformers").arrange(network)
    return torch.inference_mode


def _compiled(network: nn.Module) -> Callable[[], Any]:
    regions = Regions()
    return lambda: regions.attached(network, ())


def _precision(scene: Scene, rounds: int, clock: Clock) -> dict[str, float]:
    whole = copy.deepcopy(scene.network).float()
    half = copy.deepcopy(scene.network).to(_half(scene))
    seconds = interleave(
        {
            "whole": Case(lambda: _forward(scene, whole, torch.float32)),
            "half": Case(lambda: _forward(scene, half, _half(scene))),
        },
        rounds,
        clock,
    )
    error = apart(_forward(scene, half, _half(scene)), _forward(scene, whole, torch.float32))
    return {**ratio(seconds["half"], seconds["whole"]).as_dict(), "error": error}


def _buckets(scene: Scene, rounds: int, clock: Clock, samples: int) -> dict[str, float]:
    dtype = scene.states.dtype

    def bucketed() -> None:
        left = samples
        while left > 0:
            taken, size = next_batch(left, CUDA_BUCKETS)
            _forward(scene, scene.network, dtype, size)
            left -= taken

    seconds = interleave(
        {
            "any": Case(lambda: _forward(scene, scene.network, dtype, samples)),
            "buckets": Case(bucketed),
        },
        rounds,
        clock,
    )
    return ratio(seconds["buckets"], seconds["any"]).as_dict()
