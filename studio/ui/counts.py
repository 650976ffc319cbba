"""Numbers of things in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 step``, ``2 steps``, ``2 passes``."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{ending}"
