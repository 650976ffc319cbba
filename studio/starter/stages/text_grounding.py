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

from studio.starter.common import Budget, Loop, autocast, batch_for, log, write_json
from studio.starter.pictures import layouts
from studio.starter.pictures.backdrops import EVERY
from studio.starter.pictures.captions import caption
from studio.starter.pictures.data import CELLS, Pictures
from studio.starter.pictures.drawings import Drawings, SceneBatch
from studio.starter.pictures.scenes import Scene, Scenes
from studio.starter.pictures.words import plural
from studio.starter.stages.clip_batches import PARTS, encode_texts
from studio.starter.stages.patch_basis import CHANNELS, fit_basis
from studio.starter.stages.tokenizer import MAX_TOKENS
from studio.starter.stream import stream

BLOCK = 4
BLOCKS = (CELLS // BLOCK) ** 2
NAMES, ALL_STYLES, _ = PARTS
# What a caption can say: first content, second content, style, background, layout.
LABELS = (NAMES, NAMES, ALL_STYLES, EVERY, layouts.NAMES)
BATCH, BATCH_GPU = 96, 512
SEEN = 0.75  # share of captions that have a picture
RATE, RATE_ON = 1.5e-3, 6e-4  # learning rate from nothing, and on from what is trained already
# Steps of going on in which the heads that name parts learn alone, as they begin anew.
UNHEARD = 200


def blocks(latents: torch.Tensor) -> torch.Tensor:
    """Latents (N, C, 16, 16) → blocks of cells in reading order (N, 16, C·4·4)."""
    n, channels, side = len(latents), latents.shape[1], CELLS // BLOCK
    cut = latents.view(n, channels, side, BLOCK, side, BLOCK)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(n, BLOCKS, channels * BLOCK**2)


def unblocked(blocks_of: torch.Tensor) -> torch.Tensor:
    """Blocks of cells (N, 16, C·4·4) → latents (N, C, 16, 16); undoes :func:`blocks`."""
    n, side = len(blocks_of), CELLS // BLOCK
    cut = blocks_of.view(n, side, side, -1, BLOCK, BLOCK)
    return cut.permute(0, 3, 1, 4, 2, 5).reshape(n, -1, CELLS, CELLS)


class Grounding(torch.nn.Module):
    """Linear heads that read a caption's parts and its picture's latents off the text tower's states."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sizes = tuple(len(part) + 1 for part in LABELS)
        self.parts = torch.nn.Linear(width, sum(self.sizes))
        self.layout = torch.nn.Linear(width, CHANNELS * BLOCK**2)

    def label_loss(self, pooled: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropies of the parts of `LABELS`, added up; labels (N, 5), 0: not said."""
        logits = self.parts(pooled).split(self.sizes, dim=1)
        return torch.stack(
            [F.cross_entropy(p.float(), labels[:, i]) for i, p in enumerate(logits)]
        ).sum()

    @torch.no_grad()
    def read_as_before(self, text: Any, tokenizer: CLIPTokenizer, drawings: Drawings) -> None:
        """Set the heads to how a tower that is there already holds the latents, by least squares.

        So a tower that learns new words keeps the language that a prior has learned of it.
        """
        rng, device = np.random.default_rng(2), self.layout.weight.device
        scenes = [drawings.scenes.draw(rng, "single") for _ in range(2000)]
        ids = encode_texts(
            tokenizer, [caption(s.names, s.style, EVERY[s.background]) for s in scenes]
        )
        states = torch.cat(
            [text(input_ids=part.to(device)).last_hidden_state for part in ids.split(250)]
        )
        x = states[:, -BLOCKS:].flatten(0, 1).double()
        x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        y = blocks(drawings.latents(SceneBatch.of(scenes))).flatten(0, 1).double()
        ridge = 1e-3 * len(x) * torch.eye(x.shape[1], dtype=x.dtype, device=device)
        found = torch.linalg.solve(x.T @ x + ridge, x.T @ y).float()
        self.layout.weight.copy_(found[:-1].T)
        self.layout.bias.copy_(found[-1])

    def shown(self, states: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Mean squared error of the latents (N, C, 16, 16) read off the last sixteen of states (N, 32, width)."""
        return F.mse_loss(self.layout(states[:, -BLOCKS:]).float(), blocks(latents))


def draw_unseen(rng: np.random.Generator) -> tuple[str, list[int]]:
    """A caption of any content, held-out ones included, in any style, and its labels; it has no picture here."""
    layout = layouts.NAMES[rng.integers(len(layouts.NAMES))] if rng.random() < 0.5 else "single"
    count = 2 if layout in layouts.DIFFERENT else 1
    names = tuple(NAMES[i] for i in rng.choice(len(NAMES), count, replace=False))
    if layout in ("two", "three") and plural(names[0]) is None:
        layout = "single"
    style = ALL_STYLES[rng.integers(len(ALL_STYLES))]
    scene = Scene(layout, (), names, style, int(rng.integers(len(EVERY))))
    return describe(scene, rng.random(3) < (0.9, 0.65, 0.65), rng)


def draw_seen(scene: Scene, rng: np.random.Generator) -> tuple[str, list[int]]:
    """A caption that names some parts of a scene, mostly all of them, and its labels."""
    return describe(scene, rng.random(3) < (0.93, 0.8, 0.8), rng)


def describe(scene: Scene, says: np.ndarray, rng: np.random.Generator) -> tuple[str, list[int]]:
    """A caption of the parts that ``says`` names (content, style, background) and its labels."""
    content, style, background = (bool(part) for part in says)
    text = scene.says((content, style, background), rng)
    names = [NAMES.index(n) + 1 for n in scene.names] if content else []
    return text, [
        *names,
        *[0] * (2 - len(names)),
        ALL_STYLES.index(scene.style) + 1 if f"{scene.style} style" in text else 0,
        scene.background + 1 if "background" in text else 0,
        layouts.NAMES.index(scene.layout) + 1 if content else 0,
    ]


def ground(
    model: CLIPModel,
    tokenizer: CLIPTokenizer,
    work: Path,
    minutes: float,
    batch: int | None = None,
) -> None:
    """Teach the text tower alone, before pictures come in; its error is kept in ``figures/ground.json``."""
    text, device = model.text_model, next(model.parameters()).device
    batch = batch or batch_for(device, BATCH, BATCH_GPU)
    settings: Any = model.config.text_config
    heads = Grounding(settings.hidden_size).to(device)
    both = torch.nn.ModuleDict({"text": text, "heads": heads})
    goes_on = (work / "text_encoder").exists()
    rate = RATE_ON if goes_on else RATE
    loop = Loop(both, Budget(minutes), work / "ground.pt", rate, warmup=100, weight_decay=0.0)
    if loop.progress() >= 1 and loop.step:
        return
    drawings = known_drawings(work, device)
    if loop.step == 0 and goes_on:
        heads.read_as_before(text, tokenizer, drawings)
    seen = round(SEEN * batch)

    def make(rng: np.random.Generator) -> tuple[SceneBatch, np.ndarray, np.ndarray]:
        scenes = [drawings.scenes.draw(rng) for _ in range(seen)]
        drawn = [draw_seen(s, rng) for s in scenes]
        drawn += [draw_unseen(rng) for _ in range(batch - seen)]
        ids = encode_texts(tokenizer, [t for t, _ in drawn]).numpy()
        return SceneBatch.of(scenes), ids, np.array([numbers for _, numbers in drawn])

    batches = stream(make, device)

    def loss_of(step: int) -> torch.Tensor:
        scenes, ids, numbers = next(batches)
        labels = torch.from_numpy(numbers).to(device)
        wanted = drawings.latents(scenes)
        with autocast(device):
            output = text(input_ids=torch.from_numpy(ids).to(device))
            shown = heads.shown(output.last_hidden_state[:seen], wanted)
            pooled = output.pooler_output
            if goes_on and step < UNHEARD:
                pooled = pooled.detach()
            loss = shown + 0.05 * heads.label_loss(pooled, labels)
        if step % 200 == 0:
            log(f"ground: latents off by {float(shown):.4f} of 1")
        return loss

    for _ in loop.steps(loss_of, "ground", log_every=20):
        pass
    error = layout_error(model, heads, tokenizer, drawings)
    log(f"ground: mean squared error of full captions {error:.4f}")
    write_json(
        {**loop.figures(batch), "latents_mse": error},
        work / "figures" / "ground.json",
    )


def known_drawings(work: Path, device: torch.device) -> Drawings:
    """The drawings that the text tower and the prior learn."""
    pictures = Pictures.load(work)
    there = {(entry["slug"], entry["style"]) for entry in pictures.entries}
    return Drawings(pictures, fit_basis(work), Scenes(there), device)


@torch.no_grad()
def layout_error(
    model: CLIPModel, heads: Grounding, tokenizer: CLIPTokenizer, drawings: Drawings
) -> float:
    """Mean squared error of the latents that captions naming every part of 400 single drawings stand for."""
    rng, device = np.random.default_rng(1), next(model.parameters()).device
    scenes = [drawings.scenes.draw(rng, "single") for _ in range(400)]
    texts = [caption(s.names, s.style, EVERY[s.background]) for s in scenes]
    states = model.text_model(input_ids=encode_texts(tokenizer, texts).to(device)).last_hidden_state
    return float(heads.shown(states, drawings.latents(SceneBatch.of(scenes))))


assert BLOCKS < MAX_TOKENS
