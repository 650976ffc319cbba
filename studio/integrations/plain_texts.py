"""What plain diffusers scripts are written from: their head, diffusers' own call, and a loop."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = '''"""{title}"""

import torch
from diffusers import {names}

MODEL = {model}
SEEDS = {seeds}

device = "cuda" if torch.cuda.is_available() else "cpu"
dtype = torch.float16 if device == "cuda" else torch.float32
{vae}pipe = {pipeline}.{load}(MODEL, torch_dtype=dtype{options}).to(device)
{layers}pipe.scheduler = {scheduler}(
{settings}
)
{freeu}'''

VAE = "vae = AutoencoderKL.from_pretrained({place!r}, torch_dtype=dtype)\n"

CALL = """
for seed in SEEDS:
    picture = pipe(
        prompt={prompt},
        negative_prompt={negative},
        guidance_scale={scale},{rescale}
        {steps},
        width={width},
        height={height},
        eta={eta},{skip}
        generator=torch.Generator().manual_seed(seed),
    ).images[0]
    picture.save(f"{{seed}}.png")
"""

LOOP = """
# Each prompt with its coefficient at every step; they sum to 1. A row of weight w adds
# w·(ε_row − ε_∅) to the prediction of the empty prompt (GCFG, Eq. 3 and Algorithm 1).
COEFFICIENTS = {{
{coefficients}
}}

{encode}

@torch.no_grad()
def picture(seed):
    generator = torch.Generator().manual_seed(seed)
    texts = {{prompt: encode(prompt) for prompt in COEFFICIENTS}}
    pipe.scheduler.set_timesteps({set_steps}, device=device)
    extra = pipe.prepare_extra_step_kwargs(generator, {eta})
    channels, place = pipe.unet.config.in_channels, torch.device(device)
    latents = pipe.prepare_latents(1, channels, {height}, {width}, dtype, place, generator)
    for step, t in enumerate(pipe.scheduler.timesteps):
        z = pipe.scheduler.scale_model_input(latents, t)
        guided = sum(
            a[step] * pipe.unet(z, t, **texts[prompt], return_dict=False)[0].float()
            for prompt, a in COEFFICIENTS.items()
            if a[step]
        )
        latents = pipe.scheduler.step(guided, t, latents, **extra, return_dict=False)[0].to(dtype)
    {upcast}latents = latents.to(pipe.vae.dtype) / pipe.vae.config.scaling_factor
    return pipe.image_processor.postprocess(pipe.vae.decode(latents, return_dict=False)[0])[0]


for seed in SEEDS:
    picture(seed).save(f"{{seed}}.png")
"""

_ENCODE_SD = """
def encode(prompt):
    states = pipe.encode_prompt(prompt, device, 1, False)[0]
    return {"encoder_hidden_states": states}
"""

_ENCODE_SDXL = """
def encode(prompt):
    states, _, pooled, _ = pipe.encode_prompt(
        prompt, device=device, num_images_per_prompt=1, do_classifier_free_guidance=False{skip}
    )
    if not prompt and pipe.config.force_zeros_for_empty_prompt:
        states, pooled = torch.zeros_like(states), torch.zeros_like(pooled)
    size = torch.tensor([[{height}, {width}, 0, 0, {height}, {width}]], dtype=dtype, device=device)
    added = {{"text_embeds": pooled, "time_ids": size}}
    return {{"encoder_hidden_states": states, "added_cond_kwargs": added}}
"""


@dataclass(frozen=True)
class Written:
    """How a family's pipeline is written as a loop: how it encodes, and what it needs besides.

    ``last``: how it leaves out layers of its tower that are not read, which ``clip_skip`` says where
    the pipeline still needs them.
    """

    encode: str
    options: str = ""
    upcast: str = ""
    last: str = ""


_UPCAST = "if pipe.vae.config.force_upcast:\n        pipe.vae.to(torch.float32)\n    "
# diffusers' own clip_skip asks for a part of the tower that transformers 5 no longer has.
_LAST = """tower = getattr(pipe.text_encoder, "text_model", pipe.text_encoder)
tower.encoder.layers = tower.encoder.layers[:-{skipped}]  # clip skip
"""
WRITTEN = {
    "StableDiffusionPipeline": Written(_ENCODE_SD, ", safety_checker=None", last=_LAST),
    "StableDiffusionXLPipeline": Written(_ENCODE_SDXL, upcast=_UPCAST),
}
