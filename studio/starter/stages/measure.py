"""Stage `measure`: what the shipped prior can do, as the independent judge sees it.

Prompts are content × style × background, drawn evenly; 25 DPM-Solver++ steps; classifier-free guidance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image, ImageDraw

from studio.metrics.judge import IMAGE, PARTS, Judge, load, shrink
from studio.starter.common import SEED, log, to_uint8, write_json
from studio.starter.pictures import layouts
from studio.starter.pictures.backdrops import EVERY
from studio.starter.pictures.captions import caption
from studio.starter.pictures.contents import CONTENTS, STYLES
from studio.starter.pictures.data import SIZE
from studio.starter.pictures.scenes import Scene, Scenes
from studio.starter.shipped import FINE
from studio.starter.stages import judge as judging
from studio.starter.stages.prior import Texts, sample

NUMBERS = {content.name: number for number, content in enumerate(CONTENTS)}


@dataclass(frozen=True)
class Wish:
    """One prompt with the classes it names and its seed."""

    prompt: str
    content: int
    style: int
    background: int
    seed: int


def draw_wishes(count: int, seed: int = SEED) -> list[Wish]:
    """``count`` prompts; contents, styles and backgrounds come up equally often."""
    rng, styles, wishes = np.random.default_rng(seed), list(STYLES), []
    contents = np.concatenate(
        [rng.permutation(len(CONTENTS)) for _ in range(count // len(CONTENTS) + 1)]
    )
    for i in range(count):
        c, s, b = int(contents[i]), int(rng.integers(len(styles))), int(rng.integers(len(EVERY)))
        wishes.append(Wish(caption((CONTENTS[c].name,), styles[s], EVERY[b]), c, s, b, seed + i))
    return wishes


@torch.no_grad()
def generate(
    unet: torch.nn.Module,
    vae: AutoencoderKL,
    texts: Texts,
    wishes: list[Wish],
    scale: float,
    steps: int = 25,
    batch: int = 25,
) -> np.ndarray:
    """Pictures (N, H, W, 3) uint8 of the wishes, as large as the autoencoder makes them."""
    null, pictures = texts([""]), []
    batch = batch if texts.device.type == "cpu" else 250
    for start in range(0, len(wishes), batch):
        part = wishes[start : start + batch]
        latents = sample(
            unet, texts([w.prompt for w in part]), null, [w.seed for w in part], steps, scale
        )
        pictures.append(decoded(vae, latents))
    return np.concatenate(pictures)


def decoded(vae: AutoencoderKL, latents: torch.Tensor) -> np.ndarray:
    """Latents as pictures (N, H, W, 3) uint8."""
    return to_uint8(vae.decode(latents / vae.config.scaling_factor).sample)


@torch.no_grad()
def judge_pictures(judge: Judge, pictures: np.ndarray, wishes: list[Wish]) -> dict[str, float]:
    """Share of pictures in which the judge names what was asked for; contents also among its first five."""
    images = shrink(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1)
    labels = torch.tensor([[w.content, w.style, w.background] for w in wishes])
    figures = judging.accuracy(judge, images, labels)
    first = judge(images)[0].topk(5, dim=1).indices
    figures["content_top5"] = round(float((first == labels[:, :1]).any(1).float().mean()), 4)
    for group in ("face", "animal", "object"):
        rows = [i for i, w in enumerate(wishes) if CONTENTS[w.content].group == group]
        figures[f"content_{group}"] = (
            judging.accuracy(judge, images[rows], labels[rows])["content"] if rows else 0.0
        )
    return figures


@torch.no_grad()
def layout_figures(
    unet: torch.nn.Module, vae: AutoencoderKL, texts: Texts, judge: Judge, scale: float, count: int
) -> dict[str, float]:
    """For each layout of several drawings, the share of pictures in which the judge finds each at its place.

    Each place is cut out with an eighth around it and judged by itself.
    """
    there = {(content.slug, style) for content in CONTENTS for style in STYLES}
    scenes, found = Scenes(there), {}
    for layout in layouts.LAYOUTS:
        if layout in ("single", "large"):
            continue
        rng = np.random.default_rng(SEED + 5)
        drawn = [scenes.draw(rng, layout) for _ in range(count)]
        wishes = [
            Wish(s.says((True, True, True), rng), 0, 0, 0, SEED + i) for i, s in enumerate(drawn)
        ]
        pictures = torch.from_numpy(generate(unet, vae, texts, wishes, scale)).permute(0, 3, 1, 2)
        found[layout] = found_in_place(judge, pictures, drawn, layout)
        log(f"measure: {layout} {found[layout]}")
    return found


@torch.no_grad()
def found_in_place(judge: Judge, pictures: torch.Tensor, scenes: list[Scene], layout: str) -> float:
    """The share of pictures (N, 3, H, W) uint8 in which the judge finds every content of their scene at its place."""
    right = torch.ones(len(pictures), dtype=torch.bool)
    for place, spot in enumerate(layouts.LAYOUTS[layout]):
        part = judging.unit(pictures)[(..., *_around(spot, pictures.shape[-1]))]
        guessed = judge(F.interpolate(part, IMAGE, mode="area"))[0].argmax(1)
        name = place if layout in layouts.DIFFERENT else 0
        right &= guessed == torch.tensor([NUMBERS[scene.names[name]] for scene in scenes])
    return round(float(right.float().mean()), 4)


def _around(spot: layouts.Spot, size: int) -> tuple[slice, slice]:
    """The rows and columns of a picture that hold the spot and an eighth of its edge around it."""
    half = spot.edge * 9 / 16
    low = [max(0, round((middle - half) * size / SIZE)) for middle in (spot.y, spot.x)]
    high = [min(size, round((middle + half) * size / SIZE)) for middle in (spot.y, spot.x)]
    return slice(low[0], high[0]), slice(low[1], high[1])


def labelled_grid(
    pictures: np.ndarray, labels: list[str], path: Path, columns: int = 8, edge: int = 112
) -> None:
    """A sheet of pictures with their prompts written under them."""
    rows, line = -(-len(pictures) // columns), 24
    sheet = Image.new("RGB", (columns * edge, rows * (edge + line)), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = i % columns * edge, i // columns * (edge + line)
        sheet.paste(
            Image.fromarray(picture).resize((edge - 4, edge - 4), Image.Resampling.LANCZOS),
            (x + 2, y),
        )
        first, _, rest = label.partition(" in ")
        pen.text((x + 3, y + edge - 4), first[:20], fill="black", font_size=10)
        pen.text(
            (x + 3, y + edge + 7),
            rest.replace(" style on a", ",")
            .replace("n orange", " orange")
            .replace(" background", "")[:22],
            fill="#666666",
            font_size=9,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256).save(path, optimize=True)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``count`` (Wilson 1927)."""
    z = 1.96
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = ((middle + sign * half) / (1 + z * z / count) for sign in (-1, 1))
    return round(low, 4), round(high, 4)


def choose_scale(
    unet: torch.nn.Module,
    vae: AutoencoderKL,
    texts: Texts,
    judge: Judge,
    scales: tuple[float, ...],
    count: int,
) -> tuple[float, dict[str, dict[str, float]]]:
    """The guidance scale with the best sum of figures on a small sample of its own, and all trials."""
    trials = {}
    for scale in scales:
        wishes = draw_wishes(count, SEED + 77)
        trials[str(scale)] = judge_pictures(
            judge, generate(unet, vae, texts, wishes, scale), wishes
        )
        log(f"measure: scale {scale}: {trials[str(scale)]}")
    best = max(
        scales, key=lambda s: sum(trials[str(s)][k] for k in ("content", "style", "background"))
    )
    return best, trials


def measure(
    work: Path,
    assets: Path,
    count: int,
    scales: tuple[float, ...] = (2.0, 3.0, 4.5),
    trial: int = 50,
    device: torch.device | None = None,
) -> dict:
    """Stage `measure`, at 256 pixels where the fine decoder is there: figures into ``figures/measure.json``, samples into ``assets/starter/samples.png``."""
    device = device or torch.device("cpu")
    unet: Any = UNet2DConditionModel.from_pretrained(work / "unet")
    fine = (work / FINE).exists()
    vae: Any = AutoencoderKL.from_pretrained(work / (FINE if fine else "vae"))
    unet, vae, texts = unet.eval().to(device), vae.eval().to(device), Texts(work, device)
    judge = load(work / "judge")
    scale, trials = choose_scale(unet, vae, texts, judge, scales, trial)
    wishes = draw_wishes(count)
    pictures = generate(unet, vae, texts, wishes, scale)
    figures = {
        "prompts": count,
        "steps": 25,
        "scale": scale,
        "pixels": pictures.shape[1],
        **(judged := judge_pictures(judge, pictures, wishes)),
        "intervals": {part: wilson(judged[part], count) for part in PARTS},
        "layouts": layout_figures(unet, vae, texts, judge, scale, each := max(4, count // 20)),
        "layout_prompts": each,
        "trials": trials,
    }
    write_json(figures, work / "figures" / "measure.json")
    labelled_grid(
        pictures[:40], [w.prompt for w in wishes[:40]], assets / "starter" / "samples.png"
    )
    labelled_grid(pictures, [w.prompt for w in wishes], work / "grids" / "measure.png", columns=20)
    log(f"measure: { ({k: v for k, v in figures.items() if k != 'trials'}) }")
    return figures
