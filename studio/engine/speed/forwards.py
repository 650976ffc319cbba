"""Modules of a network that run otherwise for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def running(forwards: Mapping[Any, Callable[..., Any]]) -> Iterator[None]:
    """Inside the ``with``, each module runs as it is told here; then it has its own forward back."""
    try:
        for module, forward in forwards.items():
            module.forward = forward
        yield
    finally:
        for module in forwards:
            module.__dict__.pop("forward", None)
