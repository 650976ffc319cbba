"""Families along a flow whose parts are read by diffusers' modular blocks: one record each.

:mod:`studio.library.families` registers them. What they have in common is :func:`_flow`'s.
"""

from __future__ import annotations

from typing import Any

from studio.library.family import FLOW, Config, ModelFamily


def _flow(pipeline: str, network: str, **own: Any) -> ModelFamily:
    """A record of a transformer on latents of 16 channels, two by two positions taken as one.

    Args:
        pipeline, network: classes of diffusers by which it is known.
        own: what differs.
    """
    common: dict[str, Any] = {
        "recognises": lambda config, of: of == pipeline or config.get("_class_name") == network,
        "pipelines": (pipeline,),
        "part": "transformer",
        "predicts": (FLOW,),
        "windows": False,
        "size": 1024,
        "latent_channels": 16,
        "position": 2,
        "own_sigmas": True,
        "controls": False,
        "image_prompts": False,
        "concepts": False,
        "learned_words": False,
        "prompt_weights": False,
        "one_tower": False,
    }
    return ModelFamily(network=network, **(common | own))


def _is_sd3(config: Config, pipeline: str) -> bool:
    return "StableDiffusion3" in pipeline or config.get("_class_name") == "SD3Transformer2DModel"


FLOW_FAMILIES: dict[str, ModelFamily] = {
    "sd3": _flow(
        "StableDiffusion3Pipeline",
        "SD3Transformer2DModel",
        title="Stable Diffusion 3",
        runs="studio.engine.families.stable_diffusion_3:StableDiffusion3",
        recognises=_is_sd3,
        text="CLIP, OpenCLIP and T5",
        window=254,
        guidance=4.5,
        scaling=1.5305,
        own_sigmas=False,
        marks=("sd3", "stable-diffusion-3", "sd_3"),
    ),
    "flux": _flow(
        "FluxPipeline",
        "FluxTransformer2DModel",
        title="FLUX.1",
        runs="studio.engine.families.flux:Flux",
        text="T5, and CLIP's pooled text",
        window=510,
        guidance=1.0,
        scaling=0.3611,
        marks=("flux",),
    ),
    "z-image": _flow(
        "ZImagePipeline",
        "ZImageTransformer2DModel",
        title="Z-Image",
        runs="studio.engine.families.z_image:ZImage",
        text="Qwen 3",
        window=490,
        guidance=5.0,
        scaling=0.3611,
        problem=lambda config: (
            "is a Z-Image Omni, which reads pictures beside its text"
            if config.get("siglip_feat_dim")
            else ""
        ),
        marks=("z-image", "z_image", "zimage"),
    ),
}
