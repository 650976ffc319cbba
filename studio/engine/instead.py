"""What of the settings this machine has not, and what a start uses instead of it."""

from __future__ import annotations

from studio.engine.networks import devices
from studio.engine.speed import runtime
from studio.errors import StudioError


def instead_of(name: str, value: str) -> str:
    """What the next start uses where the settings' file says ``value``; "" where it uses that."""
    if name == "device":
        return "" if value == "auto" or devices.is_there(value) else devices.first()
    if name != "attention":
        return ""
    try:
        used = runtime.attention_on(devices.choose(), value)
    except StudioError:  # the environment's device is not there: a start refuses that by its name
        return ""
    return "" if used == value else used
