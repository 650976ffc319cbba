"""A tiny random pipeline of each family of the table; a family without one here fails its contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffusers.guiders.classifier_free_guidance import ClassifierFreeGuidance

from studio.extensions import placed
from tests.support import (
    tiny,
    tiny_ernie,
    tiny_flux,
    tiny_flux2,
    tiny_krea2,
    tiny_qwen,
    tiny_sana,
    tiny_sd3,
    tiny_sdxl,
    tiny_z_image,
)

BUILDERS: dict[str, Callable[[Path], Any]] = {
    "sd1": tiny.pipeline,
    "sd2": lambda folder: tiny.pipeline(folder, prediction="v_prediction"),
    "sdxl": tiny_sdxl.pipeline,
    "sana": tiny_sana.pipeline,
    "sd3": tiny_sd3.pipeline,
    "flux": tiny_flux.pipeline,
    "z-image": tiny_z_image.pipeline,
    "flux2": tiny_flux2.pipeline,
    "qwen-image": tiny_qwen.pipeline,
    "ernie-image": tiny_ernie.pipeline,
    "krea2": tiny_krea2.pipeline,
}

# The blocks of diffusers' modular pipelines that ask a guider.
_BLOCKS = "diffusers.modular_pipelines"
MODULAR: dict[str, str] = {
    "sdxl": f"{_BLOCKS}.stable_diffusion_xl.modular_blocks_stable_diffusion_xl:StableDiffusionXLAutoBlocks",
    "sd3": f"{_BLOCKS}.stable_diffusion_3.modular_blocks_stable_diffusion_3:StableDiffusion3AutoBlocks",
    "z-image": f"{_BLOCKS}.z_image.modular_blocks_z_image:ZImageAutoBlocks",
    "flux2": f"{_BLOCKS}.flux2.modular_blocks_flux2_klein_base:Flux2KleinBaseAutoBlocks",
    "krea2": f"{_BLOCKS}.krea2.modular_blocks_krea2:Krea2AutoBlocks",
    "ernie-image": f"{_BLOCKS}.ernie_image.modular_blocks_ernie_image:ErnieImageAutoBlocks",
    "qwen-image": f"{_BLOCKS}.qwenimage.modular_blocks_qwenimage:QwenImageAutoBlocks",
}
# Plain pipelines whose scale is counted from the prompt's own prediction: a weight less one.
FROM_ITS_OWN = ("z-image", "krea2")
# Blocks that read the empty prompt only where it is asked for.
# What the blocks do to the sum besides.
REFINED: dict[str, dict[str, Any]] = {"qwen-image": {"refinements": {"patch_norm": 1.0}}}
NULL: dict[str, dict[str, str]] = {"sd3": {"negative_prompt": ""}}


def modular(name: str, pipe: Any, scale: float) -> Any:
    """The modular pipeline of a plain one's parts, with classifier-free guidance of ``scale``."""
    made = placed(MODULAR[name])().init_pipeline()
    parts = {key: part for key, part in pipe.components.items() if key in made.components}
    made.update_components(**parts, guider=ClassifierFreeGuidance(guidance_scale=scale))
    made.set_progress_bar_config(disable=True)
    return made
