"""What a worker runs on, so that one that would make other pictures is not asked."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import studio

PACKAGES = ("torch", "diffusers", "transformers")
# The rooms that a picture depends on; a page of another version makes the same ones.
_ROOMS = ("preset", "library", "diffusion", "preprocessors", "plan", "engine", "workers")


@cache
def versions() -> dict[str, str]:
    """Name → version; a package's without the tag of its build (``2.10.0``, not ``2.10.0+cu128``)."""
    found = {"studio": f"{studio.__version__} ({_sources()})"}
    found["python"] = ".".join(platform.python_version_tuple()[:2])
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def difference(mine: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """Where a worker's versions are others: ``torch 2.9.0 there, 2.10.0 here``; "" where none is."""
    return ", ".join(
        f"{name} {theirs.get(name, 'missing')} there, {version} here"
        for name, version in mine.items()
        if theirs.get(name, "missing") != version
    )


def _sources() -> str:
    """A digest of the code that makes pictures: one number of a version has many states."""
    digest, top = hashlib.sha256(), Path(studio.__file__).parent
    for room in _ROOMS:
        for source in sorted((top / room).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:8]
