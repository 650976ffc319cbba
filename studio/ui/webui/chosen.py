"""The options that there are: checkpoint, autoencoder and CLIP's layer, found alike wherever they come."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from studio.errors import MissingModel, StudioError, shorten
from studio.library import Library
from studio.plan.row_models import check_base
from studio.preset import Preset
from studio.preset.bounds import bounds
from studio.share.model_names import Shelf
from studio.share.tools.a1111 import named
from studio.ui.webui.values import text, whole

CHECKPOINT, VAE, LAYER = "sd_model_checkpoint", "sd_vae", "CLIP_stop_at_last_layers"
OPTIONS = (CHECKPOINT, VAE, LAYER)
_HASH = re.compile(r"\s*\[[0-9a-fA-F]{6,64}\]$")  # behind a title there


def options_of(given: Mapping[str, Any], library: Library) -> dict[str, Any]:
    """Those of the options that are given, the checkpoint by its id; what is ``null`` is left as it is.

    Raises:
        StudioError: a checkpoint that is not here, or a value that cannot be; names the option.
    """
    found: dict[str, Any] = {}
    if text(given, CHECKPOINT).strip():
        found[CHECKPOINT] = _checkpoint(text(given, CHECKPOINT), library)
    if given.get(VAE) is not None:
        found[VAE] = text(given, VAE)
    if given.get(LAYER) is not None:
        least, most = bounds(Preset, "clip_skip")
        found[LAYER] = whole(given, LAYER, 1)
        if not least <= found[LAYER] <= most:
            raise StudioError(f"{least} to {most}, got {found[LAYER]}", field=LAYER)
    return found


def check_vae(name: str, library: Library) -> None:
    """See that an autoencoder is here, or that none but the base's own is meant.

    Raises:
        StudioError: it is not.
    """
    if named(name) and Shelf(library).find(name, ("vae",)) is None:
        raise StudioError(
            f"{shorten(name)} is not in the library; /sdapi/v1/sd-vae lists what is", field=VAE
        )


def _checkpoint(name: str, library: Library) -> str:
    plain = _HASH.sub("", name.strip())
    found = Shelf(library).find(plain, ("base", "finetune")) or plain
    try:
        check_base(library.catalogue(), found)
    except MissingModel as error:
        raise StudioError(
            f"{shorten(name)} is not in the library; /sdapi/v1/sd-models lists what is",
            field=CHECKPOINT,
        ) from error
    return found
