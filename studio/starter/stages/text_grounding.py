"""The first step of stage `clip`: the text tower learns what captions say and what that looks like.

A text encoder that only the diffusion loss teaches is slow to ground, and a weak one leaves the prior a lookup
table to learn. Here the tower is taught directly, without noise: its pooled state names the caption's parts, and
its last sixteen tokens, which captions leave empty, hold the picture's latents, one 4×4 block of cells each. The
prior then has one thing to learn for all contents together: to draw what the tokens say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from transformers import CLIPModel, CLIPTokenizer

from studio.starter.common import Budget, Loop, autocast, log, write_json
from studio.starter.pictures.captions import caption
from studio.starter.pictures.contents import BACKGROUNDS
from studio.starter.pictures.data import Pictures
from studio.starter.pictures.drawings import CELLS, PLACEMENTS, Drawings, Scene
from studio.starter.stages.clip_batches import PARTS, encode_texts
from studio.starter.stages.patch_basis import CHANNELS, fit_basis
from studio.starter.stages.tokenizer import MAX_TOKENS

BLOCK = 4
BLOCKS = (CELLS // BLOCK) ** 2
NAMES, ALL_STYLES, _ = PARTS


def blocks(latents: torch.Tensor) -> torch.Tensor:
    """Latents (N, C, 16, 16) → blocks of cells in reading order (N, 16, C·4·4)."""
    n, channels, side = len(latents), latents.shape[1], CELLS // BLOCK
    cut = latents.view(n, channels, side, BLOCK, side, BLOCK)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(n, BLOCKS, channels * BLOCK**2)


class Grounding(torch.nn.Module):
    """Linear heads that read names, style, background and latents off the text tower's states."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sizes = (len(NAMES) + 1, len(NAMES) + 1, len(ALL_STYLES) + 1, len(BACKGROUNDS) + 1)
        self.parts = torch.nn.Linear(width, sum(self.sizes))
        self.layout = torch.nn.Linear(width, CHANNELS * BLOCK**2)

    def label_loss(self, pooled: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of first content, second content, style and background; labels (N, 4), 0: not said."""
        logits = self.parts(pooled).split(self.sizes, dim=1)
        return torch.stack(
            [F.cross_entropy(p.float(), labels[:, i]) for i, p in enumerate(logits)]
        ).sum()

    def shown(self, states: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Mean squared error of the latents (N, C, 16, 16) read off the last sixteen of states (N, 32, width)."""
        return F.mse_loss(self.layout(states[:, -BLOCKS:]).float(), blocks(latents))


def draw_unseen(rng: np.random.Generator) -> tuple[str, list[int]]:
    """A caption of any content, held-out ones included, in any style, and its labels; it has no picture here."""
    names = tuple(NAMES[i] for i in rng.choice(len(NAMES), 2 if rng.random() < 0.3 else 1))
    style, colour = ALL_STYLES[rng.integers(len(ALL_STYLES))], list(BACKGROUNDS)[rng.integers(10)]
    says = rng.random(3) < (0.9, 0.65, 0.65)
    return describe(
        names if says[0] else (), style if says[1] else None, colour if says[2] else None, rng
    )


def describe(
    names: tuple[str, ...], style: str | None, colour: str | None, rng: np.random.Generator
) -> tuple[str, list[int]]:
    """A caption of these parts and its four labels."""
    text = caption(names, style, colour, rng.random() < 0.6, rng.random() < 0.25)
    numbers = [NAMES.index(n) + 1 for n in names] + [0] * (2 - len(names))
    return text, [
        *numbers,
        ALL_STYLES.index(style) + 1 if style else 0,
        list(BACKGROUNDS).index(colour) + 1 if colour else 0,
    ]


def draw_seen(scene: Scene, rng: np.random.Generator) -> tuple[str, list[int]]:
    """A caption that names some parts of a scene, mostly all of them, and its labels."""
    says = rng.random(3) < (0.93, 0.8, 0.8)
    colour = list(BACKGROUNDS)[scene.background]
    return describe(
        scene.names if says[0] else (),
        scene.style if says[1] else None,
        colour if says[2] else None,
        rng,
    )


def ground(
    model: CLIPModel,
    tokenizer: CLIPTokenizer,
    work: Path,
    minutes: float,
    rng: np.random.Generator,
    batch: int = 96,
    cpu_bf16: bool = True,
) -> None:
    """Teach the text tower alone, before pictures come in; its error is kept in ``figures/ground.json``."""
    text, device = model.text_model, next(model.parameters()).device
    settings: Any = model.config.text_config
    heads = Grounding(settings.hidden_size).to(device)
    both = torch.nn.ModuleDict({"text": text, "heads": heads})
    loop = Loop(
        both, Budget(minutes), work / "ground.pt", rate=1.5e-3, warmup=100, weight_decay=0.0
    )
    if loop.progress() >= 1:
        return
    drawings = Drawings(Pictures.load(work), fit_basis(work), placements=PLACEMENTS)
    seen = (3 * batch) // 4

    def loss_of(step: int) -> torch.Tensor:
        scenes = [drawings.draw(rng) for _ in range(seen)]
        drawn = [draw_seen(s, rng) for s in scenes] + [
            draw_unseen(rng) for _ in range(batch - seen)
        ]
        labels = torch.tensor([numbers for _, numbers in drawn], device=device)
        ids = encode_texts(tokenizer, [t for t, _ in drawn]).to(device)
        with autocast(device, cpu_bf16):
            output = text(input_ids=ids)
            shown = heads.shown(
                output.last_hidden_state[:seen], drawings.latents(scenes).to(device)
            )
            loss = shown + 0.05 * heads.label_loss(output.pooler_output, labels)
        if step % 200 == 0:
            log(f"ground: latents off by {float(shown):.4f} of 1")
        return loss

    for _ in loop.steps(loss_of, "ground", log_every=20):
        pass
    error = layout_error(model, heads, tokenizer, drawings)
    log(f"ground: mean squared error of full captions {error:.4f}")
    write_json(
        {"steps": loop.step, "minutes": loop.spent / 60, "batch": batch, "latents_mse": error},
        work / "figures" / "ground.json",
    )


@torch.no_grad()
def layout_error(
    model: CLIPModel, heads: Grounding, tokenizer: CLIPTokenizer, drawings: Drawings
) -> float:
    """Mean squared error of the latents that captions naming every part of 400 single drawings stand for."""
    rng, device = np.random.default_rng(1), next(model.parameters()).device
    scenes = [drawings.draw(rng, paired=0) for _ in range(400)]
    texts = [caption(s.names, s.style, list(BACKGROUNDS)[s.background]) for s in scenes]
    states = model.text_model(input_ids=encode_texts(tokenizer, texts).to(device)).last_hidden_state
    return float(heads.shown(states, drawings.latents(scenes).to(device)))


assert BLOCKS < MAX_TOKENS
