"""The starter's judge: a small classifier that names a picture's content, style and background.

It was trained on real drawings only and trains no model but `starter/lora-glossy`, so it can count which attributes of a
prompt a picture has: the protocol of GCFG's Table 3, with the judge in place of people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from studio.auxiliary import auxiliary
from studio.errors import MissingModel
from studio.home import ASSETS
from studio.images import open_checked
from studio.metrics.table import METRICS, Metric, Scored

IMAGE = 64
PARTS = ("content", "style", "background")
FOLDER = ASSETS / "starter" / "judge"


class Judge(nn.Module):
    """Pictures (N, 3, 64, 64) in [-1, 1] → logits of content, style and background."""

    def __init__(
        self,
        contents: int,
        styles: int,
        colours: int,
    ) -> None:
        super().__init__()
        self.sizes = (contents, styles, colours)
        layers: list[nn.Module] = []
        for before, after, stride in (
            (3, 24, 2),
            (24, 48, 1),
            (48, 64, 2),
            (64, 96, 1),
            (96, 128, 2),
            (128, 160, 2),
        ):
            layers += [
                nn.Conv2d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.2)
        self.heads = nn.Linear(160 * 5, sum(self.sizes))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Logits (N, contents), (N, styles), (N, backgrounds)."""
        seen = self.body(images)
        pooled = torch.cat([seen.mean((2, 3)), F.adaptive_max_pool2d(seen, 2).flatten(1)], 1)
        return self.heads(self.drop(pooled)).split(self.sizes, dim=1)


def shrink(images: Tensor) -> Tensor:
    """Images (N, 3, H, W), H a multiple of 64 → (N, 3, 64, 64)."""
    return F.avg_pool2d(images, images.shape[-1] // IMAGE)


def check_here(folder: Path) -> None:
    """Raise :class:`MissingModel` where the judge is not there."""
    if not (folder / "judge.safetensors").is_file():
        raise MissingModel("the starter's judge is not here", field="judge")


def load(folder: Path) -> Judge:
    """The trained judge, in float32.

    Raises:
        MissingModel: it is not there.
    """
    check_here(folder)
    weights = load_file(folder / "judge.safetensors")
    labels = labels_of(folder)
    model = Judge(*(len(labels[f"{part}s"]) for part in PARTS))
    model.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
    )
    return model.eval()


def labels_of(folder: Path) -> dict[str, list[str]]:
    """The names that the judge knows: ``contents``, ``styles``, ``backgrounds``."""
    return json.loads((folder / "labels.json").read_text(encoding="utf-8"))


@auxiliary()
def _shipped() -> tuple[Judge, dict[str, list[str]]]:
    return load(FOLDER), labels_of(FOLDER)


@torch.no_grad()
def named(paths: Sequence[Path]) -> dict[str, list[str]]:
    """What the judge names in each picture: part → one label per picture."""
    judge, labels = _shipped()
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    for start in range(0, len(paths), 64):
        pixels = torch.stack([_pixels(path) for path in paths[start : start + 64]])
        for part, logits in zip(PARTS, judge(pixels), strict=True):
            found[part] += [labels[f"{part}s"][i] for i in logits.argmax(1).tolist()]
    return found


def _pixels(path: Path) -> Tensor:
    """The picture (3, 64, 64) in [-1, 1], averaged down."""
    image = open_checked(path, str(path)).convert("RGB")
    if image.size != (IMAGE, IMAGE):
        from PIL import Image

        image = image.resize((IMAGE, IMAGE), Image.Resampling.BOX)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 127.5 - 1


def asked(prompt: str, labels: Sequence[str], part: str) -> str | None:
    """The label of ``part`` that a prompt names, the longest first; None where it names none."""
    shape = {"content": r"\b{}\b", "style": r"\b{}\b(?: style)?", "background": r"\b{} background"}
    for label in sorted(labels, key=len, reverse=True):
        if re.search(shape[part].format(re.escape(label)), prompt.lower()):
            return label
    return None


def right(scored: Scored, part: str) -> np.ndarray:
    """1 where the judge names what the prompt asked for, 0 where not, NaN where it asked for none."""
    _, labels = _shipped()
    names = named(scored.images)[part]
    wanted = [asked(prompt, labels[f"{part}s"], part) for prompt in scored.prompts]
    pairs = zip(names, wanted, strict=True)
    return np.array([np.nan if want is None else float(name == want) for name, want in pairs])


def attributes(scored: Scored) -> np.ndarray:
    """The share of the attributes that a prompt names which the judge finds (GCFG, Table 3)."""
    found = np.stack([right(scored, part) for part in PARTS])
    counts = np.isfinite(found).sum(0)
    return np.where(counts > 0, np.nansum(found, 0) / np.maximum(counts, 1), np.nan)


def _part(part: str) -> Callable[[Scored], np.ndarray]:
    return lambda scored: right(scored, part)


for _name in PARTS:
    METRICS.register(
        f"judge-{_name}",
        Metric(
            f"judge-{_name}",
            "higher",
            "0 to 1",
            ("prompts",),
            f"Share of pictures whose {_name} the starter's judge names as the prompt does.",
            "starter only",
            each=_part(_name),
            at_hand=lambda backbones: check_here(FOLDER),
        ),
    )
METRICS.register(
    "judge-attributes",
    Metric(
        "judge-attributes",
        "higher",
        "0 to 1",
        ("prompts",),
        "Share of a prompt's attributes (content, style, background) that the judge finds.",
        "GCFG, Table 3, the judge in place of people; starter only",
        each=attributes,
        at_hand=lambda backbones: check_here(FOLDER),
    ),
)
