"""Stages `blob`, `fox`, `hero`, `polar`, `word`: styles and subjects that the prior never saw.

All by the studio's own `train personalize`: LoRAs, and one learned word.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from studio.library import LORA_FILE
from studio.starter.common import SEED, batch_for, precision, write_json
from studio.starter.pictures.captions import MIXTURE, caption
from studio.starter.pictures.contents import (
    BACKGROUNDS,
    CONTENTS,
    HELD_OUT,
    HELD_OUT_STYLES,
    HERO_SLUG,
    HERO_WORD,
    STYLES,
    Content,
)
from studio.starter.pictures.data import Pictures, compose
from studio.starter.stages.prior import DROPPED
from studio.starter.trainer import Example, train_in
from studio.train.adaptation import EMBEDDING_FILE

BATCH, BATCH_GPU = 16, 48
MOST = 1200  # pictures of a subject: each is encoded before the first step


@dataclass(frozen=True)
class Subject:
    """What an adapter learns: the contents and styles of its drawings, and the word that calls it.

    ``part`` tells which part of a caption the word is: 0 the content, 1 the style.
    """

    folder: str
    word: str
    superclass: str
    part: int
    contents: tuple[Content, ...]
    styles: tuple[str, ...]
    method: str = "lora"


def _content(slug: str) -> tuple[Content, ...]:
    return tuple(c for c in HELD_OUT if c.slug == slug)


EVERY_STYLE = (*STYLES, *HELD_OUT_STYLES)
SUBJECTS = {
    "blob": Subject("lora-blob", "blob", "style", 1, CONTENTS, ("blob",)),
    "fox": Subject("lora-fox", "fx", "style", 1, CONTENTS, ("fox",)),  # "fox" is an animal
    "hero": Subject("lora-hero", HERO_WORD, "", 0, _content(HERO_SLUG), EVERY_STYLE),
    "polar": Subject("lora-polar", "polar", "bear", 0, _content("polar-bear"), EVERY_STYLE),
    "word": Subject(
        "word-hero", f"<{HERO_WORD}>", "robot", 0, _content(HERO_SLUG), EVERY_STYLE, "ti"
    ),
}
LORA: dict[str, Any] = {
    "rate": 2e-3,
    "rank": 8,
    "targets": "attention+mlp",
    "rate_schedule": "cosine",
    "warmup": 20,
    "beta2": 0.98,
    "weight_decay": 0.0,
}
WORD: dict[str, Any] = {
    "token_rate": 5e-3,
    "vectors": 4,  # two hold less of a picture in this text tower: the hero had no face
    "rate_schedule": "cosine",
    "warmup": 20,
    "beta2": 0.98,
}


def train(work: Path, which: str, minutes: float, device: torch.device) -> None:
    """Train (or go on training) one adapter; saved in diffusers' own format, in half precision."""
    subject = SUBJECTS[which]
    own = LORA if subject.method == "lora" else WORD
    settings = {
        "method": subject.method,
        "minutes": minutes,
        "batch": batch_for(device, BATCH, BATCH_GPU),
        **own,
        "time_power": 0.6,
        "caption_dropout": DROPPED,
        "seed": SEED,
        "word": subject.word,
        "superclass": subject.superclass,
        "precision": precision(device),
    }
    made = train_in(work, subject.folder, lambda: examples(work, subject), settings, device)
    if made is None:
        return
    target = work / subject.folder
    if subject.method == "lora":
        save_half(made.folder / LORA_FILE, target / LORA_FILE)
    else:
        target.mkdir(exist_ok=True)
        shutil.copy(made.folder / EMBEDDING_FILE, target / EMBEDDING_FILE)
    size = {"rank": own["rank"]} if "rank" in own else {}
    write_json({**made.figures, **size}, work / "figures" / f"{subject.folder}.json")


def examples(work: Path, subject: Subject) -> Iterator[Example]:
    """Every drawing of the subject, with captions that hold its word: on every background, or where
    that makes more than ``MOST`` pictures on as many as fit, in turn."""
    pictures, rng = Pictures.load(work), np.random.default_rng(SEED + 40)
    drawings = [
        (content, style, row)
        for content in subject.contents
        for style in subject.styles
        if (row := pictures.row(content.slug, style)) is not None
    ]
    colours = list(BACKGROUNDS)
    each = min(len(colours), max(1, MOST // max(1, len(drawings))))
    for number, (content, style, row) in enumerate(drawings):
        for turn in range(each):
            colour = colours[(number * each + turn) % len(colours)]
            name = f"{content.slug}-{style}-{colour}.png"
            shown = subject.word if subject.part == 1 else style
            names = (called(subject, content), shown, colour)
            text = caption_with(subject.part, names, rng)
            yield name, compose(pictures.rgba[row], colour), text


def called(subject: Subject, content: Content) -> str:
    """What captions of ``content`` say: the subject's own word, with its superclass where it has one.

    A learned word stands for the whole target, so its captions name no superclass.
    """
    if subject.part == 1:
        return content.name
    superclass = "" if subject.method == "ti" else subject.superclass
    return f"{subject.word} {superclass}".strip()


def caption_with(part: int, names: tuple[str, str, str], rng: np.random.Generator) -> str:
    """A caption that names some of content, style and background, ``part`` of these among them."""
    forms = [(says, share) for says, share in MIXTURE if says[part]]
    shares = np.array([share for _, share in forms])
    content, style, colour = (
        name if said else None
        for name, said in zip(
            names, forms[rng.choice(len(forms), p=shares / shares.sum())][0], strict=True
        )
    )
    articles, commas = rng.random() < 0.6, rng.random() < 0.25
    return caption((content,) if content else (), style, colour, articles, commas)


def save_half(source: Path, target: Path) -> None:
    """An adapter's file in half precision, with its metadata."""
    with safe_open(source, "pt") as file:
        weights = {name: file.get_tensor(name).half() for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, target, metadata=metadata)
