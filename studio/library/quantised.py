"""Networks whose weights are rounded to few bits: which of them run here, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from studio.files import listed, shown
from studio.library.families import family_of_mark, title_of
from studio.library.gguf_files import FORMATS, gguf_files, read_gguf
from studio.library.guard import damage

GGUF = "gguf"  # what an entry says of a network whose weights lie in a GGUF file
RUN = {"torchao": "torchao", GGUF: "gguf"}  # method → the package that runs it
EXTRA = "requirements-quantised.txt"


def method_of(config: Mapping[str, Any], folder: Path | None = None) -> str:
    """What has rounded the weights of a part, "" for plain ones.

    Args:
        config: the part's; ``folder``: its own, whose GGUF file goes before what the config says.
    """
    if folder is not None and gguf_files(folder):
        return GGUF
    found = config.get("quantization_config")
    return str(found.get("quant_method") or "quantised")[:40] if isinstance(found, dict) else ""


def problem_of_network(config: Mapping[str, Any], folder: Path, family: str) -> str:
    """Why a denoising network cannot be used, "" for what can.

    Args:
        folder: its own. family: the one that its config is of.
    """
    method = method_of(config, folder)
    if not method or method not in RUN:
        return problem_of_part(config)
    if method == GGUF and (problem := _problem_of_gguf(config, folder, family)):
        return problem
    if find_spec(RUN[method]) is None:
        return f"has weights rounded by {method}, which needs a package: pip install -r {EXTRA}"
    return ""


def problem_of_part(config: Mapping[str, Any], folder: Path | None = None) -> str:
    """Why a text encoder or an autoencoder cannot be used whose weights are not plain numbers.

    Args:
        folder: its own, where a GGUF file beside plain weights is left alone.
    """
    plain = folder is not None and any(listed(folder, (".safetensors",)))
    method = method_of(config, None if plain else folder)
    if not method:
        return ""
    return f"has quantised weights ({method}), with which neither ω nor LoRAs can reckon; use the full ones"


def _problem_of_gguf(config: Mapping[str, Any], folder: Path, family: str) -> str:
    """Why the GGUF file of a network's folder cannot be used, from its header."""
    files = gguf_files(folder)
    file, part = shown(files[0].name), shown(folder.name)
    others = [*files[1:], *sorted(listed(folder, (".safetensors",)))]
    if others:
        other = shown(others[0].name)
        return f"has several files of weights in {part}, {file} and {other}; keep one of them"
    if not config:
        return f"has {file} in {part} and no config.json beside it; put the base's there"
    if method_of(config):
        return problem_of_part(config)
    try:
        header = read_gguf(files[0])
    except Exception as error:  # anything can stand in a stranger's file
        return f"has a file that cannot be used in {part}, {file}: {damage(error)}"
    if header.unread:
        known = ", ".join(name for name, _, _ in FORMATS.values())
        return f"has weights rounded as {header.unread} in {file}; those that are read: {known}"
    named = family_of_mark(header.architecture)
    if named and not family.startswith(named):  # converters call FLUX.2's networks "flux", too
        return (
            f"has the network of another family in {part}: {file} says {header.architecture!r}, "
            f"its config.json is of {title_of(family)}"
        )
    return ""
