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


def _packed(vae: Config) -> Config:
    """FLUX.2's autoencoder: its pipeline takes two by two positions as one, and normalises."""
    widths = list(vae.get("block_out_channels") or (128, 256, 512, 512))
    channels = 4 * int(vae.get("latent_channels") or 32)
    return {
        **vae,
        "block_out_channels": [widths[0], *widths],
        "latent_channels": channels,
        "scaling_factor": 1.0,
    }


def _framed(vae: Config) -> Config:
    """Qwen-Image's autoencoder: a film's, whose channels its pipeline normalises."""
    widths = [int(vae.get("base_dim") or 96) * each for each in vae.get("dim_mult") or (1, 2, 4, 4)]
    return {
        **vae,
        "block_out_channels": widths,
        "latent_channels": int(vae.get("z_dim") or 16),
        "scaling_factor": 1.0,
    }


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
        distilled=3.5,  # as on the card of FLUX.1 [dev]
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
    "flux2": _flow(
        "Flux2KleinPipeline",
        "Flux2Transformer2DModel",
        title="FLUX.2",
        runs="studio.engine.families.flux2:Flux2",
        pipelines=("Flux2KleinPipeline", "Flux2Pipeline"),
        text="Qwen 3, of [dev] Mistral 3",
        window=490,
        guidance=4.0,
        scaling=1.0,
        latent_channels=128,
        latent_factor=16,
        latents=_packed,
        position=1,
        shift_rule="flux2",
        distilled=4.0,  # as on the card of FLUX.2 [dev]
        marks=("flux2", "flux.2", "flux-2", "klein"),
    ),
    "qwen-image": _flow(
        "QwenImagePipeline",
        "QwenImageTransformer2DModel",
        title="Qwen-Image",
        runs="studio.engine.families.qwen_image:QwenImage",
        text="Qwen 2.5 VL",
        window=1000,
        guidance=4.0,
        scaling=1.0,
        latents=_framed,
        problem=lambda config: (
            "is a Qwen-Image that edits pictures or paints in layers, which the studio does not run"
            if any(config.get(name) for name in ("zero_cond_t", "use_layer3d_rope"))
            else ""
        ),
        marks=("qwen-image", "qwen_image", "qwenimage"),
    ),
    "krea2": _flow(
        "Krea2Pipeline",
        "Krea2Transformer2DModel",
        title="Krea 2",
        runs="studio.engine.families.krea2:Krea2",
        text="Qwen 3 VL",
        window=500,
        guidance=4.5,
        scaling=1.0,
        latents=_framed,
        distilled_shift=1.15,
        marks=("krea2", "krea-2", "krea_2"),
    ),
    "ernie-image": _flow(
        "ErnieImagePipeline",
        "ErnieImageTransformer2DModel",
        title="ERNIE-Image",
        runs="studio.engine.families.ernie_image:ErnieImage",
        text="Ministral 3",
        window=2000,
        guidance=4.0,
        scaling=1.0,
        latent_channels=128,
        latent_factor=16,
        latents=_packed,
        position=1,
        marks=("ernie-image", "ernie_image", "ernieimage"),
    ),
}
