"""FLUX.2, [klein] and [dev], on tiny random pipelines in diffusers' own format."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Pipeline,
    Flux2Transformer2DModel,
)
from transformers import (
    Mistral3ForConditionalGeneration,
    PixtralImageProcessor,
    PixtralProcessor,
    Qwen3ForCausalLM,
)

from tests.support.tiny_mistral import config
from tests.support.tiny_z_image import WIDTH, chatting, qwen, shaken

LAYERS = 28  # of the text's states three are read, the last after the 27th layer
DEV_LAYERS = 30  # of [dev]'s after the 10th, 20th and 30th
CHAT = "{% for one in messages %}<bos>{{ one['content'][0]['text'] }}<eos>{% endfor %}"


def autoencoder() -> AutoencoderKLFlux2:
    """Halves the edges once, and has counted the latents' mean and deviation."""
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
    )
    vae.bn.running_mean.normal_()
    vae.bn.running_var.uniform_(0.5, 2.0)
    return vae


def transformer(guidance_embeds: bool) -> Flux2Transformer2DModel:
    """One block of each kind."""
    return Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=16,
        axes_dims_rope=(2, 2, 2, 2),
        guidance_embeds=guidance_embeds,
    )


def pipeline(folder: Path) -> Flux2KleinPipeline:
    """A random pipeline, not distilled; its autoencoder halves the edges once, and packs."""
    torch.manual_seed(8)
    words = chatting()
    network = transformer(guidance_embeds=False)
    vae = autoencoder()
    pipe = Flux2KleinPipeline(
        transformer=shaken(network, 0.4),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=vae,
        text_encoder=shaken(Qwen3ForCausalLM(qwen(words, LAYERS))),
        tokenizer=words,
        is_distilled=False,
    )
    pipe.save_pretrained(folder)
    return pipe


def dev(folder: Path) -> Flux2Pipeline:
    """A random pipeline of [dev], whose network reads its guidance as a number."""
    torch.manual_seed(14)
    words = chatting()
    words.add_tokens(["[IMG]", "[IMG_BREAK]", "[IMG_END]"])
    reader = PixtralProcessor(
        image_processor=PixtralImageProcessor(), tokenizer=words, chat_template=CHAT, patch_size=14
    )
    pipe = Flux2Pipeline(
        transformer=shaken(transformer(guidance_embeds=True), 0.4),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=autoencoder(),
        text_encoder=shaken(Mistral3ForConditionalGeneration(config(len(words), DEV_LAYERS))),
        tokenizer=reader,
    )
    pipe.save_pretrained(folder)
    return pipe
