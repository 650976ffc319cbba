"""Values of a request, each as what it must be; as there, numbers may come as text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from studio.errors import StudioError, shorten
from studio.preset import MAX_SEED
from studio.share.tools.prompts import number

_SWITCHES = {"true": True, "false": False, "1": True, "0": False, "on": True, "off": False}


def text(asked: Mapping[str, Any], name: str) -> str:
    """A text, empty where there is none.

    Raises:
        StudioError: anything else; names the field, as all of these do.
    """
    value = asked.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise StudioError(f"expected text, got {shorten(value)}", field=name)
    return value


def real(asked: Mapping[str, Any], name: str, plain: float) -> float:
    """A finite number, ``plain`` where there is none."""
    value = asked.get(name)
    if value is None:
        return plain
    found = number(value)
    if found is None:
        raise StudioError(f"expected a number, got {shorten(value)}", field=name)
    return found


def whole(asked: Mapping[str, Any], name: str, plain: int) -> int:
    """A whole number that a float holds exactly, ``plain`` where there is none."""
    value = asked.get(name)
    if value is None:
        return plain
    found = number(value)
    if found is None or found != int(found) or abs(found) > 2 * MAX_SEED:
        raise StudioError(f"expected a whole number, got {shorten(value)}", field=name)
    return int(found)


def among(asked: Mapping[str, Any], name: str, plain: float, most: float) -> float:
    """A number from 0 to ``most``."""
    found = real(asked, name, plain)
    if not 0 <= found <= most:
        raise StudioError(f"0 to {most:g}, got {found:g}", field=name)
    return found


def switch(asked: Mapping[str, Any], name: str, plain: bool = False) -> bool:
    """Whether something is on."""
    value = asked.get(name)
    if value is None:
        return plain
    found = _SWITCHES.get(str(value).lower()) if isinstance(value, bool | int | str) else None
    if found is None:
        raise StudioError(f"expected true or false, got {shorten(value)}", field=name)
    return found


def mapping(asked: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object, empty where there is none."""
    value = asked.get(name) or {}
    if not isinstance(value, Mapping):
        raise StudioError(f"expected an object, got {shorten(value)}", field=name)
    return value


def listed(asked: Mapping[str, Any], name: str, field: str = "") -> list[Any]:
    """A list, empty where there is none; ``field``: what a mistake names, where it is not ``name``."""
    value = asked.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise StudioError(f"expected a list, got {shorten(value)}", field=field or name)
    return value


def picture(given: Any, field: str) -> bytes:
    """The bytes of a picture as base64, with or without ``data:…,`` before it; lines may be broken, and
    the padding may be missing.

    Raises:
        StudioError: it is none; names ``field``.
    """
    if not isinstance(given, str) or not given.strip():
        raise StudioError("is no picture in base64", field=field)
    written = given.lstrip()
    found = "".join((written.partition(",")[2] if written.startswith("data:") else written).split())
    try:
        return base64.b64decode(
            found.rstrip("=") + "=" * (-len(found.rstrip("=")) % 4), validate=True
        )
    except (TypeError, ValueError, binascii.Error) as error:
        raise StudioError("is no picture in base64", field=field) from error
