"""The machine and the versions that figures belong to."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

LIBRARIES = ("torch", "diffusers", "transformers", "peft", "numpy")


def describe(device: torch.device) -> dict[str, object]:
    """Processor, cores, memory, device and versions; no name of a host or of a person."""
    found: dict[str, object] = {
        "cpu": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "device": device.type,
        **{name: version(name) for name in LIBRARIES},
    }
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
        found["cuda"], found["cudnn"] = torch.version.cuda, torch.backends.cudnn.version()
        found["gpu_bytes"] = torch.cuda.get_device_properties(device).total_memory
    return found


def _processor() -> str:
    """The model's name; where the system has none, what its flags say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in fields.items()}
    name = facts.get("model name", platform.machine())
    flags = facts.get("flags", "").split()
    wide = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    number = f"family {facts['cpu family']} model {facts['model']}" if "cpu family" in facts else ""
    return " ".join(filter(None, [name, number, f"({', '.join(wide)})" if wide else ""]))
