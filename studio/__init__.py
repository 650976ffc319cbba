"""Guidance Studio: stack any number of guidance rows for text-to-image diffusion."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.preset import Preset

if TYPE_CHECKING:
    from studio.engine import Engine

__all__ = ["Engine", "Preset", "StudioError"]
__version__ = "0.1.0"

# A hub is asked for models and for nothing else, and hears nothing of this machine.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
if "huggingface_hub.constants" in sys.modules and os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1":
    # It has read the variable already, as where gradio was imported first.
    sys.modules["huggingface_hub.constants"].HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
# On a CPU, oneDNN keeps what it compiles for each shape of a layer: 1,024 of them unless told
# otherwise, some 60 KiB each, so that pictures of ever new sizes take memory for hours.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")


def __getattr__(name: str) -> Any:
    if name == "Engine":  # torch is loaded only when an engine is wanted
        from studio.engine import Engine

        return Engine
    raise AttributeError(f"module 'studio' has no attribute {name!r}")
