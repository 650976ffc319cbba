"""Which denoising networks are run here, by what they take in and give."""

from __future__ import annotations

import re

from studio.library.families import FAMILIES, networks
from studio.preset.preprocessors import PREPROCESSORS

# Words in the names of published ControlNets that read what no preprocessor here makes.
_OTHERS = {"inpaint": "inpaint", "shuffle": "shuffle", "qr": "qr", "qrcode": "qr", "blur": "blur"}
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # words as in controlnet11Models_tileE
# Pipelines whose network takes a picture beside the latent, as InstructPix2Pix's does.
_EDITING = "InstructPix2Pix"
UNET = "UNet2DConditionModel"


def network_problem(
    taken: int, given: int, pipeline: str = "", labelled: bool = False, network: str = ""
) -> str:
    """Why a network cannot be a base or a row; "" for one that can.

    Upscalers (7 or 8 channels), depth and novel-view models (5, or 8) take as many channels as an
    editing model in part, so that the pipeline's class and what the network gives count too.

    Args:
        taken, given: input and output channels; ``given`` are the latent's.
        pipeline: the class of the pipeline around it, "" for a lone network.
        labelled: whether it takes a class label (noise level, image embedding) besides text.
        network: its class; "" where a file does not say.
    """
    if network and network not in networks():
        return f"is a {network}, a network that the studio does not run"
    if network not in ("", UNET):
        return ""  # only U-Nets come with further channels
    if labelled:
        return "takes a class label (an upscaler or an image-variation model); it is no row or base here"
    if taken in (given, 2 * given + 1):  # the latter: an inpainting network
        return ""
    if taken != 2 * given:
        return (
            f"takes {taken} input channels for latents of {given} (an upscaler or a depth model); "
            "it is no row or base here"
        )
    plain = {name for family in FAMILIES.values() for name in family.pipelines}
    if not pipeline or _EDITING in pipeline or pipeline in plain:
        return ""
    return (
        f"is a {pipeline} ({taken} input channels), not an editing model; it is no row or base here"
    )


def control_of(name: str) -> str:
    """What a ControlNet reads, from its name, such as ``control_v11p_sd15_canny``."""
    words = re.split(r"[^a-z]+", name.lower().replace("openpose", "openpose "))
    words += [word.lower() for word in _HUMPS.findall(name)]
    marks = _OTHERS | {mark: kind for kind, one in PREPROCESSORS.items() for mark in one.marks}
    # Of two, such as lineart and anime, the one registered later says more.
    found = next((kind for mark, kind in reversed(marks.items()) if mark in words), "")
    return found or name.rsplit("-", 1)[-1]
