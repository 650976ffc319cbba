"""Helpers every training stage shares: device, loop, weights average, resumable checkpoints, picture grids."""

from __future__ import annotations

import copy
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from PIL import Image

SEED = 20260101


def log(message: str) -> None:
    """One line of progress on stderr, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def pick_device() -> torch.device:
    """CUDA where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def name_of(device: torch.device) -> str:
    """The card's name, or ``cpu``."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def batch_for(device: torch.device, cpu: int, gpu: int) -> int:
    """The batch of a stage on this device: a GPU takes more at once."""
    return gpu if device.type == "cuda" else cpu


def precision(device: torch.device) -> str:
    """``bf16``, or ``no`` on a CPU that does not compute with it: a step takes 30 times as long there."""
    cpu: Any = torch.cpu  # it tells of the processor under names of its own
    computes = any(
        getattr(cpu, name, bool)()
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
    return "bf16" if device.type == "cuda" or computes else "no"


def autocast(device: torch.device) -> AbstractContextManager:
    """bf16 autocast, where that is faster."""
    if precision(device) == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def atomic_save(state: Any, path: Path) -> None:
    """``torch.save`` that never leaves half a file behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".part")
    torch.save(state, partial)
    partial.replace(path)


def write_json(value: Any, path: Path) -> None:
    """Write figures as indented JSON, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    partial.replace(path)


def save_network(network: Any, folder: Path) -> None:
    """``save_pretrained`` into an empty folder: shards of an earlier file would be read instead."""
    shutil.rmtree(folder, ignore_errors=True)
    network.save_pretrained(folder)


def save_grid(pictures: np.ndarray, path: Path, columns: int) -> None:
    """Write pictures (N, H, W, 3) uint8 as one PNG of ``columns`` columns."""
    count, height, width, _ = pictures.shape
    rows = math.ceil(count / columns)
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = divmod(i, columns)
        sheet[y * height : (y + 1) * height, x * width : (x + 1) * width] = picture
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)


def to_float(pictures: np.ndarray, device: torch.device) -> torch.Tensor:
    """Pictures (N, H, W, 3) uint8 → tensor (N, 3, H, W) in [-1, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(pictures)).to(device)
    return tensor.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_uint8(images: torch.Tensor) -> np.ndarray:
    """Tensor (N, 3, H, W) in [-1, 1] → pictures (N, H, W, 3) uint8."""
    scaled = ((images.float() + 1) * 127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def join_processes() -> None:
    """Train on every process that ``torchrun`` started; each draws its own pictures, gradients are averaged.

    On a CPU two processes of one thread go faster than one process of two: small layers share badly.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def average_gradients(model: torch.nn.Module) -> None:
    """Replace every gradient by its mean over the processes; nothing where there is only one."""
    if not dist.is_initialized():
        return
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    parts = (flat / dist.get_world_size()).split([g.numel() for g in grads])
    for grad, part in zip(grads, parts, strict=True):
        grad.copy_(part.view_as(grad))


def mean_over_processes(value: float) -> float:
    """The mean of ``value`` over the processes, so that all of them stop at the same step."""
    if not dist.is_initialized():
        return value
    total = torch.tensor([value], dtype=torch.float64, device=pick_device())
    dist.all_reduce(total)
    return float(total) / dist.get_world_size()


@dataclass
class Budget:
    """How long a stage trains: at most ``minutes``, or at most ``steps``, counted over all its runs.

    On a CPU the minutes are processor time per thread, so that other work on the machine shortens no schedule.
    """

    minutes: float
    steps: int | None = None


@dataclass
class Loop:
    """A resumable training loop: AdamW, warm-up and cosine decay over the *time* budget, weights average.

    The learning rate follows the share of the budget that is spent, so it always ends near zero, however fast
    the machine is. ``extend`` a finished run by giving it a larger budget; a run that goes on from weights
    has its own.
    """

    model: torch.nn.Module
    budget: Budget
    checkpoint: Path
    rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.01
    ema_decay: float | None = None
    save_every: float = 240.0
    betas: tuple[float, float] = (0.9, 0.98)
    step: int = 0
    spent: float = 0.0
    began: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        trained = [p for p in self.model.parameters() if p.requires_grad]
        decayed = [p for p in trained if p.ndim > 1]
        plain = [p for p in trained if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=self.rate, betas=self.betas, fused=True)
        self.ema = (
            copy.deepcopy(self.model).requires_grad_(False).eval() if self.ema_decay else None
        )
        if self.checkpoint.exists():
            self._restore(torch.load(self.checkpoint, weights_only=True, map_location="cpu"))

    def progress(self) -> float:
        """Share of the budget that is spent, 0 to 1 (and beyond)."""
        by_time = self.spent / (60 * self.budget.minutes) if self.budget.minutes > 0 else 1.0
        by_step = self.step / self.budget.steps if self.budget.steps else 0.0
        return max(by_time, by_step)

    def take_over(self, weights: dict[str, torch.Tensor], steps: int) -> None:
        """Start from weights that were trained before; optimiser and budget start anew."""
        self.model.load_state_dict(weights)
        if self.ema is not None:
            self.ema.load_state_dict(weights)
        self.step = self.began = steps
        log(f"{self.checkpoint.stem}: going on from weights of step {steps}")

    def figures(self, batch: int) -> dict[str, Any]:
        """What is told of the training: its steps and minutes, those of the weights it began with apart."""
        device = next(self.model.parameters()).device
        return {
            "steps": self.step - self.began,
            "minutes": self.spent / 60,
            "batch": batch,
            "device": name_of(device),
            "steps_before": self.began,
        }

    def best(self) -> Any:
        """The network to keep: the weights average where there is one."""
        return self.ema if self.ema is not None else self.model

    def steps(
        self, loss_of: Callable[[int], torch.Tensor], name: str, log_every: float = 30.0
    ) -> Iterator[int]:
        """Train until the budget is spent; yields after each step, so the caller can look and save."""
        last_log = last_save = time.monotonic()
        total, count = torch.zeros((), device=next(self.model.parameters()).device), 0
        while self.progress() < 1.0:
            started = self._clock()
            done = min(1.0, self.progress())
            scale = min(1.0, (self.step - self.began + 1) / self.warmup) * (
                0.5 * (1 + math.cos(math.pi * done)) * 0.99 + 0.01
            )
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate * scale
            self.optimizer.zero_grad(set_to_none=True)
            loss = loss_of(self.step)
            loss.backward()
            average_gradients(self.model)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            self._average()
            # Read only now and then: a GPU runs ahead.
            total, count = total + loss.detach(), count + 1
            self.spent += mean_over_processes(self._clock() - started)
            now = time.monotonic()
            if now - last_log > log_every:
                mean = float(total) / count
                self.history.append((self.step, mean))
                log(f"{name}: step {self.step} loss {mean:.4f} spent {self.spent / 60:.1f} min")
                last_log, total, count = now, torch.zeros_like(total), 0
            if now - last_save > self.save_every:
                self.save()
                last_save = time.monotonic()
            yield self.step
        self.save()

    def _clock(self) -> float:
        if next(self.model.parameters()).is_cuda:
            return time.monotonic()
        return time.process_time() / torch.get_num_threads()

    def _average(self) -> None:
        if self.ema is None or self.ema_decay is None:
            return
        decay = min(self.ema_decay, (1 + self.step) / (10 + self.step))
        mine: list[torch.Tensor] = list(self.ema.parameters())
        theirs: list[torch.Tensor] = list(self.model.parameters())
        with torch.no_grad():
            # One call for all: a GPU would wait for one after the other.
            torch._foreach_lerp_(mine, theirs, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]  # torch's optimisers use it

    def save(self) -> None:
        """Write weights, average, optimiser and counts, so that a later run goes on from here."""
        if dist.is_initialized() and dist.get_rank() > 0:
            return
        state = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict() if self.ema is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent": self.spent,
            "began": self.began,
            "history": self.history,
        }
        atomic_save(state, self.checkpoint)

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        if self.ema is not None and state["ema"] is not None:
            self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        for weight, kept in self.optimizer.state.items():
            for name, moment in kept.items():
                if moment.shape == weight.shape:  # a fused step goes by their order in memory
                    kept[name] = torch.empty_like(weight).copy_(moment)
        self.step, self.spent, self.began = state["step"], state["spent"], state.get("began", 0)
        self.history = [(int(s), float(v)) for s, v in state["history"]]
        log(
            f"going on from {self.checkpoint.name}: step {self.step}, {self.spent / 60:.1f} min spent"
        )
