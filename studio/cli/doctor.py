"""The verb doctor: what a person can send along when something is wrong. Nothing private in it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studio import __version__, logs
from studio.cli.common import say
from studio.errors import StudioError
from studio.extensions import plugins
from studio.home import (
    cache_folder,
    inputs_folder,
    models_folder,
    presets_folder,
    studio_home,
)
from studio.library import Library
from studio.outputs import outputs_folder

PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "peft",
    "accelerate",
    "safetensors",
    "gradio",
    "pydantic",
    "numpy",
    "pillow",
    "huggingface_hub",
    "xformers",
    "opencv-python-headless",
    "spandrel",
)
VARIABLES = (
    "STUDIO_HOME",
    "STUDIO_MODELS",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "CUDA_VISIBLE_DEVICES",
    "SPACE_ID",
)


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "doctor", help="versions, device, folders and the last error, to send along with a question"
    )
    verb.add_argument("--json", action="store_true", help="as one JSON object")
    verb.set_defaults(run=doctor)


def doctor(options: argparse.Namespace) -> None:
    """Print the report: no path, no name, no prompt, no value of a variable."""
    found = report()
    if options.json:
        say(found)
        return
    for title, part in found.items():
        print(f"{title}: {part if not isinstance(part, Mapping) else ''}".rstrip())
        if isinstance(part, Mapping):
            for name, value in part.items():
                print(f"  {name}: {value}")


def report() -> dict[str, Any]:
    """Everything that the verb prints; a part that cannot be found out says why."""
    parts: dict[str, Callable[[], Any]] = {
        "studio": lambda: __version__,
        "system": _system,
        "packages": _packages,
        "device": _device,
        "variables": lambda: {name: "set" for name in VARIABLES if os.environ.get(name)},
        "folders": _folders,
        "library": _library,
        "plugins": lambda: {
            p.package: p.problem and "cannot be loaded" or p.version for p in plugins()
        },
        "last error": lambda: logs.last_error() or "none recorded",
    }
    return {name: _asked(part) for name, part in parts.items()}


def _asked(part: Callable[[], Any]) -> Any:
    try:
        return part()
    except Exception as error:  # a doctor must not fall ill
        return f"cannot be found out ({type(error).__name__})"


def _system() -> dict[str, Any]:
    import psutil

    memory = psutil.virtual_memory()
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory": _bytes(memory.total),
        "memory free": _bytes(memory.available),
        "in a virtual environment": sys.prefix != sys.base_prefix,
    }


def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _device() -> dict[str, Any]:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        return {"kind": "cuda", "name": name, "memory": _bytes(total), "free": _bytes(free)}
    if torch.backends.mps.is_available():
        return {"kind": "mps"}
    return {"kind": "cpu", "threads": torch.get_num_threads()}


def _folders() -> dict[str, str]:
    """Of the home: whether each can be written to, what it holds, and what is free there."""
    folders = {
        "home": studio_home(),
        "models": models_folder(),
        "inputs": inputs_folder(),
        "presets": presets_folder(),
        "training": studio_home() / "training",
        "cache": cache_folder(),
    }
    found = {name: _folder(path) for name, path in folders.items()}
    try:
        found["outputs"] = _folder(outputs_folder())
    except StudioError as error:  # a variable that names no folder
        found["outputs"] = str(error)
    return found


def _folder(path: Path) -> str:
    there = next((one for one in (path, *path.parents) if one.exists()), None)
    if there is None:
        return "cannot be made"
    free = f"{_bytes(shutil.disk_usage(there).free)} free"
    may = "can be written to" if os.access(there, os.W_OK) else "CANNOT be written to"
    if there != path:
        return f"not made yet, {may}, {free}"
    if not path.is_dir():
        return "is no folder"
    with os.scandir(path) as items:
        return f"{sum(1 for _ in items)} entries, {may}, {free}"


def _library() -> dict[str, Any]:
    library = Library()
    kinds: dict[str, int] = {}
    for entry in library.entries():
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    return {**kinds, "cannot be used": len(library.refused())}


def _bytes(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
