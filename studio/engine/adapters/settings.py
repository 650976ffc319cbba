"""What diffusers writes into an adapter's header: alphas and their patterns, rank stabilisation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

from studio.errors import IncompatibleModels
from studio.errors import shorten as short
from studio.library import read_header

_KEY = "lora_adapter_metadata"


class Settings:
    """The settings of one adapter, by network.

    Raises:
        IncompatibleModels: they are no JSON object, or hold what they cannot hold; names the adapter.
    """

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        self._values, self._name = values, name
        self._patterns: dict[str, list[tuple[str, float]]] = {}

    def scale(self, part: str, layer: str, rank: int) -> float:
        """``alpha / r`` of a layer, ``alpha / √r`` where ranks are stabilised; 1 without an alpha."""
        part = "transformer" if part == "unet" and self._has("transformer") else part
        for pattern, value in self._alphas(part):
            if layer == pattern or layer.endswith(f".{pattern}"):
                alpha: float | None = value  # as in peft, the first that fits
                break
        else:
            alpha = self._number(f"{part}.lora_alpha", self._values.get(f"{part}.lora_alpha"))
        if alpha is None:
            return 1.0
        return alpha / (sqrt(rank) if self._values.get(f"{part}.use_rslora") is True else rank)

    def _has(self, part: str) -> bool:
        return f"{part}.lora_alpha" in self._values

    def _alphas(self, part: str) -> list[tuple[str, float]]:
        if part not in self._patterns:
            given = self._values.get(f"{part}.alpha_pattern") or {}
            if not isinstance(given, dict):
                raise self._refusal(f"{part}.alpha_pattern", given, "names of layers with numbers")
            self._patterns[part] = [
                (self._ending(part, pattern), self._number(f"{part}.alpha_pattern", value) or 0.0)
                for pattern, value in given.items()
            ]
        return self._patterns[part]

    def _ending(self, part: str, pattern: str) -> str:
        """A pattern as the end of a layer's name; peft's are regular expressions, written from names."""
        name = pattern.removeprefix("^").replace("\\.", ".")
        if not all(letter.isalnum() or letter in "._" for letter in name):
            raise self._refusal(f"{part}.alpha_pattern", pattern, "the end of a layer's name")
        return name

    def _number(self, key: str, value: object) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._refusal(key, value, "a number")
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if not isfinite(number):
            raise self._refusal(key, value, "a number")
        return number

    def _refusal(self, key: str, value: object, wanted: str) -> IncompatibleModels:
        return IncompatibleModels(
            f"its header's {key} is {short(value)}; it must be {wanted}", field=self._name
        )


def settings_of(file: Path, name: str) -> Settings:
    """The settings in a file's header; none where it has none.

    Raises:
        IncompatibleModels: they are no JSON object.
    """
    try:
        header = read_header(file)
    except (OSError, ValueError):  # the reader of the weights says what is wrong with the file
        return Settings({}, name)
    metadata = header.get("__metadata__")
    text = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if text is None:
        return Settings({}, name)
    try:
        values = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise IncompatibleModels(f"its header's {_KEY} is no JSON object", field=name)
    return Settings(values, name)
