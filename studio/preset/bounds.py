"""What a field of a document may hold, read from its schema so that nothing repeats it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import BaseModel


def bounds(document: type[BaseModel], field: str) -> tuple[float, float]:
    """The least and the largest value of a number, such as ``bounds(Row, "weight")``."""
    shape = _shape(document, field)
    return shape["minimum"], shape["maximum"]


def most(document: type[BaseModel], field: str) -> int:
    """The most characters of a text, or the most entries of a list."""
    shape = _shape(document, field)
    return shape["maxLength"] if "maxLength" in shape else shape["maxItems"]


@lru_cache(maxsize=64)
def _shape(document: type[BaseModel], field: str) -> dict[str, Any]:
    shape = _schema(document)["properties"][field]
    real = [part for part in shape.get("anyOf", ()) if part.get("type") != "null"]
    return real[0] if len(real) == 1 else shape


@lru_cache(maxsize=16)
def _schema(document: type[BaseModel]) -> dict[str, Any]:
    return document.model_json_schema()
