"""Networks that enlarge pictures (ESRGAN and its kin): which files hold one, and what runs them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

UPSCALER = "upscaler"  # the kind of such a model
PACKAGE, EXTRA = "spandrel", "requirements-upscale.txt"
# Folders in which people and their tools keep them.
FOLDERS = ("upscale_models", "upscalers", "esrgan", "realesrgan", "swinir", "scunet", "dat", "hat")
# What training puts before every name, and how names of the most usual networks begin.
_BEFORE = ("params_ema.", "params.", "module.", "netG.")
_FIRST = ("conv_first.", "model.1.sub.0.RDB1.")


def without_prefix(names: Iterable[str]) -> tuple[str, ...]:
    """What stands before every one of these names and is no part of them, outermost first."""
    found: list[str] = []
    names = list(names)
    while names and (more := next((p for p in _BEFORE if all(n.startswith(p) for n in names)), "")):
        found.append(more)
        names = [name.removeprefix(more) for name in names]
    return tuple(found)


def is_upscaler(names: Iterable[str]) -> bool:
    """Whether tensors of these names are of a network that enlarges pictures, as far as they tell."""
    before = "".join(without_prefix(names := list(names)))
    return any(name.removeprefix(before).startswith(_FIRST) for name in names)


def described() -> dict[str, Any]:
    """Fields of a :class:`ModelEntry`; what the file says more, the package knows that reads it."""
    return {"kind": UPSCALER}


def problem() -> str:
    """Why none can be used, "" where they can."""
    if find_spec(PACKAGE) is None:
        return f"is a network that enlarges pictures, which needs a package: pip install -r {EXTRA}"
    return ""
