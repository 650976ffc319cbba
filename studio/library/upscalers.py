"""Networks that enlarge pictures (ESRGAN and its kin): which files hold one, and what runs them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

UPSCALER = "upscaler"  # the kind of such a model
PACKAGE, EXTRA = "spandrel", "requirements-upscale.txt"
# Folders in which people and their tools keep them; the last two are words besides, and count at the top.
_FOLDERS = [
    "upscale_models",
    "upscale",
    "upscalers",
    "upscaler",
    "chainner",
    "esrgan",
    "realesrgan",
    "swinir",
    "scunet",
]
_AT_THE_TOP = ("dat", "hat")
# What training puts before every name; where there are both, the averaged weights are used.
_BEFORE = ("params_ema.", "params.", "module.", "netG.")
# How names of the usual networks begin (ESRGAN and BasicSR's others; SPAN; OmniSR; RealCUGAN).
_SOME = ("conv_first.", "model.1.sub.0.RDB1.", "block_1.c1_r.", "residual_layer.0.", "unet1.conv1.")
_ALL = ("body.", "feats.")  # how all names of others do (Compact; PLKSR)


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """The tensors of a file that its network has, each with its name there."""
    found = {name: name for name in names}
    averaged = {name for name in found if name.startswith(_BEFORE[0])}
    if averaged and all(name.startswith(_BEFORE[:2]) for name in found):
        found = {name: name for name in averaged}
    while found and (more := next((p for p in _BEFORE if _begin(found.values(), p)), "")):
        found = {name: plain.removeprefix(more) for name, plain in found.items()}
    return found


def _begin(names: Iterable[str], start: str) -> bool:
    return all(name.startswith(start) for name in names)


def is_upscaler(names: Iterable[str]) -> bool:
    """Whether tensors of these names are of a network that enlarges pictures, as far as they tell."""
    plain = list(plain_names(names).values())
    if any(name.startswith(_SOME) for name in plain):
        return True
    return bool(plain) and any(_begin(plain, start) for start in _ALL)


def are_kept_in(folders: Iterable[str]) -> bool:
    """Whether one of these folders, from the library's top, is one of upscalers; in small letters."""
    listed = list(folders)
    return any(name in _FOLDERS for name in listed) or listed[:1] in [[one] for one in _AT_THE_TOP]


def problem() -> str:
    """Why none can be used, "" where they can."""
    if find_spec(PACKAGE) is None:
        return f"is a network that enlarges pictures, which needs a package: pip install -r {EXTRA}"
    return ""
