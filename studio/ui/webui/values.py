"""Values of a request, each as what it must be."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from studio.errors import StudioError, shorten


def text(asked: Mapping[str, Any], name: str) -> str:
    """A text, empty where there is none.

    Raises:
        StudioError: anything else; names the field, as all of these do.
    """
    value = asked.get(name) or ""
    if not isinstance(value, str):
        raise StudioError(f"expected text, got {shorten(value)}", field=name)
    return value


def whole(asked: Mapping[str, Any], name: str, plain: int) -> int:
    """A whole number, ``plain`` where there is none."""
    value = asked.get(name)
    if value is None:
        return plain
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise StudioError(f"expected a whole number, got {shorten(value)}", field=name)
    return int(value)


def mapping(asked: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object, empty where there is none."""
    value = asked.get(name) or {}
    if not isinstance(value, Mapping):
        raise StudioError(f"expected an object, got {shorten(value)}", field=name)
    return value


def picture(given: Any, field: str) -> bytes:
    """The bytes of a picture as base64, with or without ``data:…,`` before it.

    Raises:
        StudioError: it is none; names ``field``.
    """
    text = given.partition(",")[2] if str(given).startswith("data:") else given
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise StudioError("is no picture in base64", field=field) from error
