"""The studio's own `train` inside the work folder: what makes the concept networks and adapters that ship.

The work folder's prior is put into a library of its own, ``work/studio``, as a model that bears its weights'
digest: so a training goes on where it stopped, and begins anew once the prior has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from studio.errors import StudioError
from studio.home import models_folder, training_folder
from studio.library import Library
from studio.starter.common import log, name_of, write_json
from studio.starter.stages.prior import build_scheduler
from studio.train import METHODS, TrainConfig, resolve, train
from studio.train import checkpoint as checkpoints
from studio.train.events import Finished, Losses, Note, TrainProgress
from studio.train.runner import kept_settings

PARTS = {
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModel",
    "tokenizer": "CLIPTokenizer",
    "unet": "UNet2DConditionModel",
}
ONE_PROCESS = ("WORLD_SIZE", "RANK", "LOCAL_RANK")
TELL_EVERY = 30.0  # seconds
CAPTIONS = "captions.json"

# A picture's file name, its pixels (128, 128, 3) and its caption.
Example = tuple[str, np.ndarray, str]


@dataclass(frozen=True)
class Trained:
    """Where the model is, and what to tell of its training."""

    folder: Path
    figures: dict[str, Any]


def train_in(
    work: Path,
    name: str,
    examples: Callable[[], Iterator[Example]],
    settings: Mapping[str, Any],
    device: torch.device,
) -> Trained | None:
    """Train ``name`` on pictures with captions, or go on with it; the figures go into ``figures/``.

    Under several processes the first trains and the others go on: these networks gain little by more.

    Args:
        examples: asked for where the pictures are not in the work folder yet.
        settings: of :func:`studio.train.resolve`, besides base, pictures and name.

    Returns:
        ``None`` in all processes but the first.
    """
    if int(os.environ.get("RANK", "0")) > 0:
        return None
    with home(work / "studio"):
        images = write_pictures(work / "studio" / "pictures" / name, examples)
        base, library = family(work), Library((models_folder(),))
        without_text = METHODS[settings["method"]].without_text
        written = {} if without_text else {"captions": str(images / CAPTIONS)}
        config = resolve(
            {"base": base, "images": str(images), "name": name, **settings, **written}, library
        )
        done, history = follow(config, library, device)
        state = checkpoints.read(training_folder(name)) or {}
    figures = {
        "steps": done.steps,
        "minutes": state["seconds"] / 60,
        "batch": config.batch,
        "device": name_of(device),
        "pictures": sum(1 for _ in images.glob("*.png")),
    }
    log(f"{name}: {done.steps} steps, {figures['minutes']:.1f} min")
    return Trained(done.path, {**figures, "history": history})


@contextmanager
def home(folder: Path) -> Iterator[None]:
    """Inside the ``with``, ``folder`` is the studio's home, and this process is the only one."""
    before = {name: os.environ.pop(name, None) for name in (*ONE_PROCESS, "STUDIO_HOME")}
    os.environ["STUDIO_HOME"] = str(folder)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def family(work: Path) -> str:
    """The work folder's prior as a model of the library; its id holds its weights' digest."""
    digest = hashlib.sha256()
    for file in sorted((work / "unet").glob("*.safetensors")):
        digest.update(file.read_bytes())
    folder = models_folder() / f"prior-{digest.hexdigest()[:8]}"
    for old in models_folder().glob("prior-*"):
        shutil.rmtree(old)
    for part in PARTS:  # with their times, by which the latents' cache knows the autoencoder
        shutil.copytree(work / part, folder / part)
    build_scheduler().save_pretrained(folder / "scheduler")
    index = {
        part: ["transformers" if part.startswith(("text", "token")) else "diffusers", kind]
        for part, kind in PARTS.items()
    }
    write_json(
        {
            "_class_name": "StableDiffusionPipeline",
            **index,
            "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
        },
        folder / "model_index.json",
    )
    return folder.name


def write_pictures(folder: Path, examples: Callable[[], Iterator[Example]]) -> Path:
    """The examples as PNG files with their captions in one file, which is written last."""
    if (folder / CAPTIONS).exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name, pixels, caption in examples():
        Image.fromarray(pixels).save(folder / name, compress_level=1)
        captions[name] = caption
    write_json(captions, folder / CAPTIONS)
    log(f"{folder.name}: {len(captions)} pictures with captions")
    return folder


def follow(
    config: TrainConfig, library: Library, device: torch.device
) -> tuple[Finished, list[tuple[int, float]]]:
    """Run the training to its end, with a line in the log now and then.

    Returns:
        where the model is, and the mean loss between the log's lines by step.
    """
    resume = can_go_on(config)
    log(f"{config.name}: {'going on' if resume else 'beginning'} with {command(config)}")
    history: list[tuple[int, float]] = []
    said, losses = time.monotonic(), []
    for event in train(config, library, resume=resume, restart=not resume, device=device.type):
        match event:
            case Note(text):
                log(f"{config.name}: {text}")
            case Losses():
                losses.append(event.total)
            case TrainProgress() if losses and time.monotonic() - said > TELL_EVERY:
                history.append((event.step, sum(losses) / len(losses)))
                log(
                    f"{config.name}: step {event.step} of about {event.steps} loss {history[-1][1]:.4f}"
                )
                said, losses = time.monotonic(), []
            case Finished():
                return event, history
    raise AssertionError("unreachable: a training ends with Finished or an error")


def can_go_on(config: TrainConfig) -> bool:
    """Whether there is a checkpoint of this training, from the same prior."""
    try:
        kept = kept_settings(config.name)
    except StudioError:
        return False
    return kept.base == config.base and checkpoints.exists(training_folder(config.name))


def command(config: TrainConfig) -> str:
    """The same as a command line."""
    kind = "concept" if METHODS[config.method].without_text else "personalize"
    given = config.model_dump(mode="json", exclude_defaults=True)
    if kind == "concept" and given["method"] == kind:
        given.pop("method")
    given.setdefault("base", config.base)
    options = (
        f"--{key.replace('_', '-')} {json.dumps(value) if ' ' in str(value) else value}"
        for key, value in given.items()
    )
    return f"train {kind} {' '.join(options)}"
