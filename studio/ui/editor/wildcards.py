"""The wildcards that prompts are completed with."""

from __future__ import annotations

from typing import Any

from studio.errors import StudioError
from studio.preset import variants

MOST = 5000


def wildcard_names(_: Any) -> dict[str, list[str]]:
    """Those that there are now (called from the script, which sends an empty object).

    Returns:
        ``{"names": […]}``: none where they cannot be read, which a prompt that names one says.
    """
    try:
        return {"names": variants.names()[:MOST]}
    except (StudioError, OSError):
        return {"names": []}
