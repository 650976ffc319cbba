"""Stage `glossy`: a LoRA of the prior towards what a judge prefers, by Diffusion-DPO.

The prior draws every prompt several times; of these the judge names the picture that shows the prompt's
content most surely in the preferred style, and the one that does so least (Wallace et al., *Diffusion Model
Alignment Using Direct Preference Optimization*, 2023). The errors are the velocity's: Eq. 14 weighted by 1/ᾱ_t.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel

from studio.library import LORA_FILE
from studio.metrics.judge import Judge, load, shrink
from studio.starter.common import (
    SEED,
    Budget,
    Loop,
    atomic_save,
    autocast,
    batch_for,
    log,
    write_json,
)
from studio.starter.pictures.captions import caption
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, STYLES
from studio.starter.stages.lora import LORA, save_half
from studio.starter.stages.prior import Texts, build_scheduler, sample, velocity_batch
from studio.train.methods.lora import factors_of, put_factors

FOLDER, STYLE = "lora-glossy", "glossy"
PREFERRED = list(STYLES).index(STYLE)
BETA = 2000.0  # β·T·ω of Eq. 14 times a latent's 4,096 values: the errors are means over them
PROMPTS, EACH = 480, 4  # prompts, and pictures of each to choose from
TRIAL = 96  # prompts on which it is measured; a few are trained on, which the figures count
SCALE, STEPS = 2.0, 20
BATCH, BATCH_GPU = 16, 128
AT_ONCE = 48  # latents that are sampled together


@dataclass(frozen=True)
class Pairs:
    """What was preferred: ``states`` (N, 32, width) of the prompts, ``better`` and ``worse`` latents (N, C, 16, 16)."""

    states: torch.Tensor
    better: torch.Tensor
    worse: torch.Tensor


def preference_loss(
    better: torch.Tensor,
    worse: torch.Tensor,
    better_before: torch.Tensor,
    worse_before: torch.Tensor,
    beta: float = BETA,
) -> torch.Tensor:
    """−log σ(−β·[(e_w − r_w) − (e_l − r_l)]), the mean over pairs (Diffusion-DPO, Eq. 14).

    Args:
        better, worse: errors (N,) of the trained network on the preferred and the other latents, at the same
            time and noise.
        better_before, worse_before: the same of the network before training.
        beta: how far it may move from that network, for errors that are means.

    Returns:
        log 2 where the network has not moved.
    """
    moved = (better - better_before) - (worse - worse_before)
    return -F.logsigmoid(-beta * moved).mean()


def prompts(count: int, skip: int = 0) -> tuple[list[str], torch.Tensor]:
    """``count`` captions that name a content and a background but no style, and the contents' numbers (N,).

    ``skip`` passes over as many; a call that needs more turns through the contents draws other
    backgrounds, so some captions may come again.
    """
    rng, colours = np.random.default_rng(SEED + 50), list(BACKGROUNDS)
    turns = -(-(skip + count) // len(CONTENTS))
    numbers = np.concatenate([rng.permutation(len(CONTENTS)) for _ in range(turns)])
    colour = rng.integers(len(colours), size=len(numbers))
    chosen = range(skip, skip + count)
    texts = [caption((CONTENTS[numbers[i]].name,), None, colours[colour[i]]) for i in chosen]
    return texts, torch.from_numpy(numbers[skip : skip + count])


@torch.no_grad()
def draw(unet: Any, texts: Texts, captions: list[str], seed: int) -> torch.Tensor:
    """One latent (N, C, 16, 16) for each caption, from seeds ``seed``, ``seed`` + 1, …"""
    null, parts = texts([""]), []
    for start in range(0, len(captions), AT_ONCE):
        part = captions[start : start + AT_ONCE]
        seeds = list(range(seed + start, seed + start + len(part)))
        parts.append(sample(unet, texts(part), null, seeds, STEPS, SCALE))
    return torch.cat(parts)


@torch.no_grad()
def judged(judge: Judge, vae: Any, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The judge's logits of contents (N, contents) and styles (N, styles) for the latents' pictures."""
    parts = []
    for part in latents.split(AT_ONCE):
        pictures = vae.decode(part / vae.config.scaling_factor).sample.clamp(-1, 1)
        parts.append(judge(shrink(pictures.cpu().float()))[:2])
    contents, styles = zip(*parts, strict=True)
    return torch.cat(contents), torch.cat(styles)


def preference(contents: torch.Tensor, styles: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
    """log p(content that was asked for) + log p(preferred style), (N,), from the judge's logits."""
    right = contents.log_softmax(1).gather(1, asked[:, None])[:, 0]
    return right + styles.log_softmax(1)[:, PREFERRED]


def pairs(work: Path, unet: Any, texts: Texts, judge: Judge, vae: Any) -> Pairs:
    """The best and the worst of ``EACH`` pictures of every prompt; drawn once and kept in the work folder."""
    kept = work / "preferences.pt"
    captions, contents = prompts(PROMPTS)
    if not kept.exists():
        drawn, values = [], []
        for turn in range(EACH):
            drawn.append(draw(unet, texts, captions, SEED + turn * PROMPTS))
            values.append(preference(*judged(judge, vae, drawn[-1]), contents))
            log(f"{FOLDER}: {(turn + 1) * PROMPTS} of {EACH * PROMPTS} pictures to choose from")
        latents, score, row = torch.stack(drawn), torch.stack(values), torch.arange(PROMPTS)
        best, worst = score.argmax(0).to(latents.device), score.argmin(0).to(latents.device)
        row = row.to(latents.device)
        atomic_save(
            {"better": latents[best, row].half().cpu(), "worse": latents[worst, row].half().cpu()},
            kept,
        )
    there = torch.load(kept, weights_only=True, map_location=texts.device)
    return Pairs(texts(captions), there["better"].float(), there["worse"].float())


def with_factors(unet: Any) -> Any:
    """A copy of the network whose low-rank factors alone train."""
    trained = copy.deepcopy(unet).requires_grad_(False)
    put_factors(trained, LORA["rank"], LORA["targets"])
    return trained


def train(work: Path, minutes: float, device: torch.device) -> None:
    """Train (or go on training) the LoRA ``lora-glossy``; figures with what the judge says before and after."""
    torch.manual_seed(SEED + 51)
    texts, judge = Texts(work, device), load(work / "judge")
    loaded: Any = UNet2DConditionModel.from_pretrained(work / "unet")
    vae: Any = AutoencoderKL.from_pretrained(work / "vae")
    unet, vae = loaded.eval().requires_grad_(False).to(device), vae.eval().to(device)
    chosen = pairs(work, unet, texts, judge, vae)
    trained = with_factors(unet)
    batch, alphas = batch_for(device, BATCH, BATCH_GPU), build_scheduler().alphas_cumprod.to(device)
    loop = Loop(
        trained, Budget(minutes), work / f"{FOLDER}.pt", rate=5e-4, warmup=20, weight_decay=0.0
    )

    def errors(network: Any, noisy: Any, times: Any, target: Any, states: Any) -> torch.Tensor:
        with autocast(device):
            made = network(noisy, times, states).sample
        return (made.float() - target).square().flatten(1).mean(1)

    def loss_of(step: int) -> torch.Tensor:
        rows = torch.randint(len(chosen.states), (batch,), device=device)
        state = torch.Generator(device).manual_seed(SEED + 60 + step)
        states = chosen.states[rows]
        said = []
        for latents in (chosen.better, chosen.worse):  # at the same times and noise
            noisy = velocity_batch(latents[rows], alphas, state, power=1.0)
            state.manual_seed(SEED + 60 + step)
            with torch.no_grad():
                before = errors(unet, *noisy, states)
            said.append((errors(trained, *noisy, states), before))
        (better, better_before), (worse, worse_before) = said
        return preference_loss(better, worse, better_before, worse_before)

    for _ in loop.steps(loss_of, FOLDER):
        pass
    save(trained, work)
    captions, contents = prompts(TRIAL, skip=PROMPTS)
    figures = {
        name: shares(*judged(judge, vae, draw(network, texts, captions, SEED + 9000)), contents)
        for name, network in (("before", unet), ("after", trained.eval()))
    }
    write_json(
        {
            **loop.figures(batch),
            "rank": LORA["rank"],
            "pairs": len(chosen.states),
            "prompts": TRIAL,
            "known_prompts": sum(map(set(prompts(PROMPTS)[0]).__contains__, captions)),
            **figures,
            "history": loop.history,
        },
        work / "figures" / f"{FOLDER}.json",
    )
    log(f"{FOLDER}: {figures}")


def shares(contents: torch.Tensor, styles: torch.Tensor, asked: torch.Tensor) -> dict[str, float]:
    """The shares of pictures whose content the judge names, and whose style it calls the preferred one."""
    right = (contents.argmax(1) == asked).float().mean()
    preferred = (styles.argmax(1) == PREFERRED).float().mean()
    return {"content": round(float(right), 4), STYLE: round(float(preferred), 4)}


def save(network: Any, work: Path) -> None:
    """The factors in diffusers' LoRA file, in half precision, as ``lora-glossy/``."""
    whole = work / f"{FOLDER}.whole"
    StableDiffusionPipeline.save_lora_weights(whole, unet_lora_layers=factors_of(network, "unet"))
    save_half(whole / LORA_FILE, work / FOLDER / LORA_FILE)
