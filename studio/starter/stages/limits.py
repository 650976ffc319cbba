"""Stage `limits`: how far the judge follows what the prior is given, so that one sees where a picture is lost.

The same scenes twice: their true latents, which no prior could better, and the latents that the text tower's last
tokens hold (`text_grounding`), which the prior begins with. Both go through the autoencoder at 128 pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from studio.metrics.judge import Judge, load, shrink
from studio.starter.common import SEED, log, write_json
from studio.starter.pictures import layouts
from studio.starter.pictures.contents import STYLES
from studio.starter.pictures.drawings import SceneBatch
from studio.starter.pictures.scenes import Scene
from studio.starter.stages import judge as judging
from studio.starter.stages.measure import NUMBERS, decoded, found_in_place
from studio.starter.stages.prior import Texts
from studio.starter.stages.text_grounding import BLOCKS, Grounding, known_drawings, unblocked


@torch.no_grad()
def measure(work: Path, count: int, device: torch.device | None = None) -> dict[str, Any]:
    """For each layout: what the judge says of ``count`` scenes' true latents and of those that the captions hold.

    Returns:
        what is kept in ``figures/limits.json``: by layout ``true`` and ``captions``, and ``explained``, the share
        of the latents' variance that the captions' tokens hold.
    """
    device = device or torch.device("cpu")
    texts, drawings = Texts(work, device), known_drawings(work, device)
    heads = Grounding(texts.encoder.config.hidden_size).to(device)
    heads.read_as_before(texts.encoder, texts.tokenizer, drawings)
    vae: Any = AutoencoderKL.from_pretrained(work / "vae")
    vae, judge = vae.eval().to(device), load(work / "judge")
    figures: dict[str, Any] = {"scenes": count}
    for layout in layouts.NAMES:
        rng = np.random.default_rng(SEED + 6)
        scenes = [drawings.scenes.draw(rng, layout) for _ in range(count)]
        captions = [scene.says((True, True, True), rng) for scene in scenes]
        true = drawings.latents(SceneBatch.of(scenes))
        held = unblocked(heads.layout(texts(captions)[:, -BLOCKS:]))
        error = (held - true).square().mean() / (true - true.mean(0)).square().mean()
        figures[layout] = {
            "true": seen(judge, pictures(vae, true), scenes, layout),
            "captions": seen(judge, pictures(vae, held), scenes, layout),
            "explained": round(1 - float(error), 4),
        }
        log(f"limits: {layout} {figures[layout]}")
    write_json(figures, work / "figures" / "limits.json")
    return figures


def pictures(vae: Any, latents: Tensor) -> Tensor:
    """Latents as pictures (N, 3, H, W) uint8, a part at a time."""
    parts = [decoded(vae, part) for part in latents.split(25)]
    return torch.from_numpy(np.concatenate(parts)).permute(0, 3, 1, 2)


def seen(judge: Judge, images: Tensor, scenes: list[Scene], layout: str) -> dict[str, float]:
    """What the judge names rightly: content, style and background of single drawings, else all contents in place."""
    if layout in ("single", "large"):
        labels = [[NUMBERS[s.names[0]], list(STYLES).index(s.style), s.background] for s in scenes]
        small = shrink(judging.unit(images))
        return judging.accuracy(judge, small, torch.tensor(labels))
    return {"content": found_in_place(judge, images, scenes, layout)}
