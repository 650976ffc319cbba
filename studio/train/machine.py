"""Devices, precision and processes, through accelerate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from studio.engine.networks.devices import free_memory, is_out_of_memory
from studio.errors import OutOfMemory, StudioError
from studio.train.config import TrainConfig


def accelerator_for(config: TrainConfig, device: str | None = None) -> Any:
    """An ``Accelerator`` on the device asked for; under ``accelerate launch``, one of several.

    Without a precision in the settings: bf16 on CUDA where the GPU has it, else fp16; float32
    elsewhere.

    Raises:
        StudioError: the device is not there, or cannot run the precision.
    """
    from accelerate import Accelerator

    if device is not None:
        from studio.engine.networks.devices import choose

        choose(device)
    on_cpu = device == "cpu" or not (torch.cuda.is_available() or torch.backends.mps.is_available())
    precision = config.precision
    if precision is None:
        cuda = torch.cuda.is_available() and not on_cpu
        precision = ("bf16" if torch.cuda.is_bf16_supported() else "fp16") if cuda else "no"
    try:
        return Accelerator(mixed_precision=precision, cpu=on_cpu)
    except (ValueError, RuntimeError) as error:
        raise StudioError(str(error).splitlines()[0], field="precision") from error


@contextmanager
def memory_errors_named(config: TrainConfig) -> Iterator[None]:
    """Turn exhausted memory into one line that says what to make smaller.

    Raises:
        OutOfMemory: memory is exhausted inside.
    """
    try:
        yield
    except StudioError:
        raise
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        free_memory()
        raise OutOfMemory(
            "the memory of this device does not suffice for this training; choose a smaller size "
            "or batch; its last checkpoint, if there is one, is kept"
            if config.gradient_checkpointing
            else "the memory of this device does not suffice for this training; choose a smaller size "
            "or batch, or turn on gradient_checkpointing; its last checkpoint, if there is one, is kept",
            field="size",
        ) from error


def release(accelerator: Any) -> None:
    """Free what accelerate holds, so that another training can begin in this process."""
    from accelerate.state import AcceleratorState, GradientState

    accelerator.free_memory()
    if accelerator.num_processes > 1:
        accelerator.end_training()
        return
    AcceleratorState._reset_state(True)
    GradientState._reset_state()


def average_of(config: TrainConfig, parameters: list[nn.Parameter]) -> Any:
    """The weights' moving average, as diffusers keeps it; ``None`` where none is asked for."""
    if config.ema == 0:
        return None
    from diffusers.training_utils import EMAModel

    return EMAModel(parameters, decay=config.ema)


def adamw(config: TrainConfig, device: torch.device) -> Any:
    """AdamW, of bitsandbytes where eight bits are asked for.

    Raises:
        StudioError: eight bits without bitsandbytes.
    """
    if not config.eight_bit:
        # Fused, its share of a small network's step on a CPU is 2 % instead of 6.
        return partial(torch.optim.AdamW, fused=True) if device.type == "cpu" else torch.optim.AdamW
    try:
        from bitsandbytes.optim import (  # pyright: ignore[reportMissingImports] - an extra
            AdamW8bit,
        )
    except ImportError as error:
        raise StudioError(
            "needs the package bitsandbytes (and a GPU)", field="eight_bit"
        ) from error
    return AdamW8bit
