"""The engine: families, networks, adapters, and the guided denoiser that runs a plan."""

from studio.engine.engine import Engine

__all__ = ["Engine"]
