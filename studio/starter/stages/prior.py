"""Stage `prior`: the text-to-image UNet, trained on latents that are composed as it goes (v-prediction)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DPMSolverMultistepScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from studio.starter.common import (
    SEED,
    Budget,
    Loop,
    autocast,
    batch_for,
    save_network,
    write_json,
)
from studio.starter.pictures.drawings import SceneBatch
from studio.starter.shipped import go_on
from studio.starter.stages.attention_supervision import WEIGHT, Looking
from studio.starter.stages.clip_batches import encode_texts
from studio.starter.stages.patch_basis import CHANNELS
from studio.starter.stages.text_grounding import known_drawings
from studio.starter.stream import stream

# Of a training from nothing, in which attention is shown where to look, and noise is preferred.
SHOWN = 0.6
RATE, RATE_ON = 1e-3, 4e-4  # learning rate from nothing, and on from what is trained already
BATCH, BATCH_GPU = 32, 768
DROPPED = 0.1  # share of captions replaced by the empty text
TOWARDS_NOISE = 0.6  # times are 1000·U^0.6: what is drawn is decided in the noisier half
EVENLY = 0.9  # later nearly even: how finely it is drawn (the style) is decided in the other half


def build(
    widths: tuple[int, ...] = (64, 128, 160),
    text_width: int = 192,
    channels: int = CHANNELS,
    heads: int = 4,
) -> UNet2DConditionModel:
    """The untrained UNet over 16×16 latents; cross-attention at every level but the first.

    diffusers reads ``attention_head_dim`` as the *number* of heads for this class.
    """
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * (len(widths) - 1),
        up_block_types=("CrossAttnUpBlock2D",) * (len(widths) - 1) + ("UpBlock2D",),
        cross_attention_dim=text_width,
        attention_head_dim=heads,
        norm_num_groups=32,
    )


def memory_format(device: torch.device) -> torch.memory_format:
    """In which order the U-Net trains faster: a CPU takes 1.3 times as long channels-last (measured)."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def build_scheduler() -> DPMSolverMultistepScheduler:
    """The family's scheduler: squared-cosine schedule, v-prediction, trailing steps."""
    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        algorithm_type="dpmsolver++",
        solver_order=2,
    )


class Texts:
    """The frozen text encoder: captions → states (N, 32, width)."""

    def __init__(self, work: Path, device: torch.device) -> None:
        self.tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
        encoder: Any = CLIPTextModel.from_pretrained(work / "text_encoder")
        self.encoder = encoder.to(device).eval().requires_grad_(False)
        self.device = device

    def __call__(self, texts: list[str]) -> torch.Tensor:
        """Captions → states (N, 32, width)."""
        unique = sorted(set(texts))
        states = self.states(encode_texts(self.tokenizer, unique))
        return states[[unique.index(t) for t in texts]]

    @torch.no_grad()
    def states(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (N, 32) → states (N, 32, width)."""
        return self.encoder(ids.to(self.device)).last_hidden_state


def velocity_batch(
    latents: torch.Tensor,
    alphas: torch.Tensor,
    generator: torch.Generator | None = None,
    power: float = TOWARDS_NOISE,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy latents z_t = √ᾱ x + √(1−ᾱ) ε, times t = 1000·U^power, targets v = √ᾱ ε − √(1−ᾱ) x."""
    uniform = torch.rand(len(latents), device=latents.device, generator=generator)
    times = (len(alphas) * uniform.pow(power)).long().clamp(max=len(alphas) - 1)
    signal = alphas[times].sqrt().view(-1, 1, 1, 1)
    spread = (1 - alphas[times]).sqrt().view(-1, 1, 1, 1)
    noise = torch.randn(latents.shape, device=latents.device, generator=generator)
    return signal * latents + spread * noise, times, signal * noise - spread * latents


def train(
    work: Path,
    minutes: float,
    device: torch.device,
    batch: int | None = None,
) -> None:
    """Stage `prior`: train (or go on training); the weights average is saved as ``unet/``."""
    torch.manual_seed(SEED + 3 + int(os.environ.get("RANK", "0")))
    batch = batch or batch_for(device, BATCH, BATCH_GPU)
    texts = Texts(work, device)
    drawings = known_drawings(work, device)
    order = memory_format(device)
    model = build(text_width=texts.encoder.config.hidden_size).to(device, memory_format=order)
    alphas = build_scheduler().alphas_cumprod.to(device)
    loop = Loop(model, Budget(minutes), work / "prior.pt", rate=RATE, warmup=150, ema_decay=0.998)
    go_on(loop, work, "unet", "prior")
    young = not loop.began
    loop.rate = RATE if young else RATE_ON
    looking = Looking(model)

    def make(rng: np.random.Generator) -> tuple[SceneBatch, np.ndarray]:
        scenes = [drawings.scenes.draw(rng) for _ in range(batch)]
        captions = ["" if rng.random() < DROPPED else scene.caption(rng) for scene in scenes]
        return SceneBatch.of(scenes), encode_texts(texts.tokenizer, captions).numpy()

    batches = stream(make, device)

    def loss_of(step: int) -> torch.Tensor:
        scenes, ids = next(batches)
        clean = drawings.latents(scenes)
        fading = max(0.0, 1.0 - loop.progress() / SHOWN) if young else 0.0
        noisy, times, target = velocity_batch(
            clean, alphas, power=TOWARDS_NOISE if fading else EVENLY
        )
        looking.watch(fading > 0)
        with autocast(device):
            states = texts.states(torch.from_numpy(ids))
            output = model(noisy.contiguous(memory_format=order), times, states).sample
        error = F.mse_loss(output.float(), target)
        return error + WEIGHT * fading * looking.loss() if fading else error

    for _ in loop.steps(loss_of, "prior"):
        pass
    save_network(loop.best(), work / "unet")
    write_json(
        {
            **loop.figures(batch * int(os.environ.get("WORLD_SIZE", "1"))),
            "history": loop.history,
        },
        work / "figures" / "prior.json",
    )


@torch.no_grad()
def sample(
    unet: Any,
    states: torch.Tensor | None,
    null: torch.Tensor | None,
    seeds: list[int],
    steps: int = 25,
    scale: float = 4.0,
) -> torch.Tensor:
    """Latents (N, C, 16, 16) by DPM-Solver++ with classifier-free guidance; one seed an image.

    ``states`` (N, 32, D) and ``null`` (1, 32, D); without them the network is called without text.
    """
    device = next(unet.parameters()).device
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps, device=device)
    shape = (unet.config.in_channels, unet.config.sample_size, unet.config.sample_size)
    x = torch.stack(
        [torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in seeds]
    ).to(device)
    for t in scheduler.timesteps:
        if states is None or null is None:
            v = unet(x, t).sample
        else:
            both = torch.cat([null.expand_as(states), states])
            free, asked = unet(torch.cat([x, x]), t, both).sample.chunk(2)
            v = free + scale * (asked - free)
        x = scheduler.step(v, t, x).prev_sample
    return x
