"""Stage `judge`: a small classifier, trained on real pictures only, that names content, style and background.

It measures the prior and never trains it. A tenth of the (content, style) drawings are kept from it; its
accuracy on those says how far its word can be trusted.
"""

from __future__ import annotations

import os
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from studio.metrics.judge import IMAGE, Judge, shrink
from studio.starter.common import SEED, Budget, Loop, autocast, batch_for, log, to_float, write_json
from studio.starter.pictures.backdrops import EVERY
from studio.starter.pictures.contents import CONTENTS, HELD_OUT_STYLES, STYLES
from studio.starter.pictures.data import Pictures, compose

IGNORED = -100
PICTURES = 40_000  # drawn once; the training moves and blurs them
SHARE = 1000  # pictures that a process draws at a time
BATCH, BATCH_GPU = 96, 512


def held_out_pairs() -> set[tuple[int, int]]:
    """The tenth of (content, style) drawings that the judge never trains on."""
    rng = np.random.default_rng(SEED + 9)
    pairs = [(c, s) for c in range(len(CONTENTS)) for s in range(len(STYLES))]
    return {pairs[i] for i in rng.choice(len(pairs), len(pairs) // 10, replace=False)}


def drawings_of(pictures: Pictures) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Drawings (content number, style) to train on, those of held-out styles among them, and those kept away.

    A held-out style teaches the content only: its own label is ignored.
    """
    hidden, known = held_out_pairs(), list(STYLES)
    kept_away = [(c, known[s]) for c, s in sorted(hidden)]
    seen = [
        (c, style)
        for c in range(len(CONTENTS))
        for style in (*known, *HELD_OUT_STYLES)
        if (c, style) not in kept_away and pictures.row(CONTENTS[c].slug, style) is not None
    ]
    return seen, kept_away


def draw(
    pictures: Pictures, drawings: list[tuple[int, str]], count: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Small pictures (count, 3, 64, 64) uint8 and labels (count, 3) of the given (content, style) drawings."""
    shares = [part for part in np.array_split(np.arange(count), -(-count // SHARE)) if len(part)]
    with get_context("fork").Pool(os.cpu_count()) as pool:
        drawn = pool.starmap(
            _draw_some,
            [(pictures, drawings, len(part), [seed, n]) for n, part in enumerate(shares)],
        )
    images = torch.from_numpy(np.concatenate([images for images, _ in drawn]))
    return images, torch.from_numpy(np.concatenate([labels for _, labels in drawn]))


def _draw_some(
    pictures: Pictures, drawings: list[tuple[int, str]], count: int, seed: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    torch.set_num_threads(1)
    rng, styles = np.random.default_rng(seed), list(STYLES)
    images, labels = np.empty((count, 3, IMAGE, IMAGE), np.uint8), np.empty((count, 3), np.int64)
    for i in range(count):
        c, style = drawings[rng.integers(len(drawings))]
        b = int(rng.integers(len(EVERY)))
        rgba = pictures.rgba[pictures.row(CONTENTS[c].slug, style) or 0]
        picture = compose(rgba, EVERY[b], rng, free=bool(i % 2))
        small = shrink(to_float(picture[None], torch.device("cpu")))
        images[i] = ((small[0] + 1) * 127.5).round().byte().numpy()
        labels[i] = c, styles.index(style) if style in styles else IGNORED, b
    return images, labels


def unit(images: torch.Tensor) -> torch.Tensor:
    """Pictures uint8 → float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def augment(images: torch.Tensor) -> torch.Tensor:
    """Turn, scale and move every picture a little, blur a third, add faint noise: neither place nor sharpness tells."""
    n, device = len(images), images.device
    angle = (torch.rand(n, device=device) - 0.5) * 0.35
    scale = 1 + (torch.rand(n, device=device) - 0.4) * 0.3
    matrix = torch.zeros(n, 2, 3, device=device)
    matrix[:, 0, 0] = matrix[:, 1, 1] = scale * angle.cos()
    matrix[:, 0, 1], matrix[:, 1, 0] = -scale * angle.sin(), scale * angle.sin()
    matrix[:, :, 2] = (torch.rand(n, 2, device=device) - 0.5) * 0.16
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    soft = F.avg_pool2d(F.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)
    mix = (torch.rand(n, 1, 1, 1, device=device) - 0.4).clamp(0, 0.6)
    return moved * (1 - mix) + soft * mix + 0.03 * torch.randn_like(moved)


def train(work: Path, minutes: float, device: torch.device, batch: int | None = None) -> None:
    """Train (or go on training) the judge; ``judge/`` and its own accuracies."""
    torch.manual_seed(SEED + 9)
    batch = batch or batch_for(device, BATCH, BATCH_GPU)
    pictures = Pictures.load(work)
    seen, kept_away = drawings_of(pictures)
    images, labels = draw(pictures, seen, PICTURES, SEED + 10)
    test_images, test_labels = draw(pictures, kept_away, 600, SEED + 11)
    test_images = unit(test_images)
    model = Judge(len(CONTENTS), len(STYLES), len(EVERY))
    model.to(device=device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # an overload that torch does not declare
    loop = Loop(model, Budget(minutes), work / "judge.pt", rate=2e-3, warmup=50, weight_decay=0.05)

    def loss_of(step: int) -> torch.Tensor:
        model.train()
        rows = torch.randint(len(images), (batch,))
        wanted = labels[rows].to(device)
        turned = augment(unit(images[rows].to(device))).contiguous(
            memory_format=torch.channels_last
        )
        with autocast(device):
            guesses = model(turned)
        losses = [
            F.cross_entropy(g.float(), wanted[:, i], label_smoothing=0.05, ignore_index=IGNORED)
            for i, g in enumerate(guesses)
        ]
        return torch.stack(losses).sum()

    for step in loop.steps(loss_of, "judge"):
        if step % 400 == 0:
            log(f"judge: {accuracy(model, test_images, test_labels)}")
    figures = {
        "unseen_drawings": accuracy(model, test_images, test_labels),
        "training_drawings": accuracy(model, *known_style(images, labels)),
        **loop.figures(batch),
    }
    (work / "judge").mkdir(exist_ok=True)
    save_file(
        {
            k: v.half().contiguous() if v.is_floating_point() else v
            for k, v in model.state_dict().items()
        },
        work / "judge" / "judge.safetensors",
    )
    write_json(
        {
            "contents": [c.name for c in CONTENTS],
            "styles": list(STYLES),
            "backgrounds": list(EVERY),
        },
        work / "judge" / "labels.json",
    )
    write_json(figures, work / "figures" / "judge.json")
    log(f"judge: {figures}")


def known_style(images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The first thousand pictures in a style that has a name here, with their labels."""
    rows = (labels[:, 1] != IGNORED).nonzero().flatten()[:1000]
    return unit(images[rows]), labels[rows]


@torch.no_grad()
def accuracy(model: Judge, images: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """Share of pictures (N, 3, 64, 64) whose content, style and background are named rightly; labels (N, 3)."""
    model.eval()
    device = next(model.parameters()).device
    guesses = [
        torch.cat(parts).cpu()
        for parts in zip(*(model(p.to(device)) for p in images.split(200)), strict=True)
    ]
    names = ("content", "style", "background")
    return {
        n: round(float((g.argmax(1) == labels[:, i]).float().mean()), 4)
        for i, (n, g) in enumerate(zip(names, guesses, strict=True))
    }
