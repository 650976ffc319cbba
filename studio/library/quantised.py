"""Networks whose weights are rounded to few bits: which of them run here, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

RUN = {"torchao": "torchao"}  # method in a config → the package that runs it
EXTRA = "requirements-quantised.txt"


def method_of(config: Mapping[str, Any]) -> str:
    """What has rounded the weights of a part's config, "" for plain ones."""
    found = config.get("quantization_config")
    return str(found.get("quant_method") or "quantised")[:40] if isinstance(found, dict) else ""


def problem_of_network(config: Mapping[str, Any]) -> str:
    """Why a denoising network cannot be used, "" for what can."""
    method = method_of(config)
    if not method or method not in RUN:
        return problem_of_part(config)
    if find_spec(RUN[method]) is None:
        return f"has weights rounded by {method}, which needs a package: pip install -r {EXTRA}"
    return ""


def problem_of_part(config: Mapping[str, Any]) -> str:
    """Why a text encoder or an autoencoder cannot be used whose weights are not plain numbers."""
    method = method_of(config)
    if not method:
        return ""
    return f"has quantised weights ({method}), with which neither ω nor LoRAs can reckon; use the full ones"
