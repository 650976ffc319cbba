"""Where the networks run, in what precision, and how much they may hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from studio.engine.networks.storage import PinnedMemory
from studio.errors import OutOfMemory, StudioError
from studio.preset import Preset
from studio.settings import chosen, value_of

_KINDS = ("cuda", "mps", "cpu")  # the first that is there is taken
GPU_SHARE, CPU_SHARE = 0.7, 0.6
# Network samples × latent positions in one batch; activations of SD 1.5 at 64² need ~1 GB each.
CPU_POSITIONS = 32 * 32 * 32
CUDA_POSITIONS_PER_GIB = 64 * 64
_PRECISIONS = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def choose(name: str | None = None) -> torch.device:
    """The device asked for, else that of the settings, else CUDA, MPS or the CPU, whichever is there
    first. One of the settings' file that is not there is left out.

    Raises:
        StudioError: the device asked for, or that of the environment, is not there.
    """
    field = "device"
    if name is None:
        name, field = _set_to(), "STUDIO_DEVICE"
    if name is None:
        return torch.device(first())
    if not is_there(name):
        there = ", ".join(filter(is_there, _KINDS))
        raise StudioError(f"{name!r} is not available here; there is {there}", field=field)
    return torch.device(name)


def first() -> str:
    """The device that is taken where none is asked for."""
    return next(kind for kind in _KINDS if is_there(kind))


def _set_to() -> str | None:
    """The device of the settings; of the file's, only one that is there."""
    name = value_of("device")
    if name == "auto":
        return None
    return name if is_there(name) or chosen("device").origin == "environment" else None


def is_there(name: str) -> bool:
    """Whether this machine has a device, by its name."""
    kind, _, number = name.partition(":")
    if kind == "cuda":
        counted = not number.isdigit() or int(number) < torch.cuda.device_count()
        return torch.cuda.is_available() and counted
    return kind == "cpu" or (kind == "mps" and torch.backends.mps.is_available())


def precision(device: torch.device) -> torch.dtype:
    """That of the settings; else fp16 on CUDA and float32 elsewhere, where half precision is slower
    or breaks.

    Raises:
        StudioError: the environment has a precision that there is not.
    """
    asked = value_of("precision")
    if asked != "auto":
        return _PRECISIONS[asked]
    return torch.float16 if device.type == "cuda" else torch.float32


def budget(device: torch.device) -> int:
    """Bytes of weights to keep resident: a share of the memory that is free now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] * GPU_SHARE)
    return int(psutil.virtual_memory().available * CPU_SHARE)


def host(device: torch.device) -> PinnedMemory | None:
    """Where networks wait that have left a GPU: pinned memory, at most half of what is free."""
    if device.type != "cuda":
        return None
    return PinnedMemory(psutil.virtual_memory().available // 2, device)


# What torch and the system say where the CPU's memory is exhausted: a bare RuntimeError.
_FULL = (
    *(
        "CUDA out of memory",
        "not enough memory",
        "DefaultCPUAllocator",
        "can't allocate memory",
        "bad allocation",
    ),
    # Of an error while weights are copied torch keeps the words alone; a MemoryError has none.
    "an exception occurred : ()",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is exhausted, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _FULL)


def memory_error_within(error: BaseException) -> BaseException | None:
    """The error of exhausted memory that a library made another one of; ``None`` where none was."""
    seen: BaseException | None = error
    while seen is not None and not is_out_of_memory(seen):
        seen = seen.__cause__ or seen.__context__
    return seen


@contextmanager
def memory_errors_named() -> Iterator[None]:
    """Turn exhausted memory, wherever it shows, into one line that says what to make smaller.

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
            "the memory of this device does not suffice; choose a smaller width and height, "
            "fewer images or fewer rows",
            field="sampler.width",
        ) from error


def free_memory() -> None:
    """Give back what the allocator of a GPU keeps for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def max_samples(device: torch.device, preset: Preset) -> int:
    """Network samples in one batch for the preset's size; at least one."""
    width, height = preset.sampler.width or 512, preset.sampler.height or 512
    positions = max(1, width * height // 64)
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0] / 2**30
        return max(1, int(free * 0.25 * CUDA_POSITIONS_PER_GIB / positions * 4))
    return max(1, CPU_POSITIONS // positions)
