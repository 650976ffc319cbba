"""The finished model: its folder in the library, its card, and a preset that uses it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from studio.files import replace_folder
from studio.home import models_folder, training_folder
from studio.library import ADAPTERS, CARD
from studio.preset import Preset, validate
from studio.train.captions import from_template
from studio.train.checkpoint import unwritable
from studio.train.config import TrainConfig
from studio.train.method import METHODS

OMEGA = 0.4  # the balanced middle of Steering Guidance, Supplement A


def place(config: TrainConfig) -> Path:
    """The model's folder in the library."""
    return models_folder() / config.name


def publish(config: TrainConfig, save: Callable[[Path], None], steps: int) -> Path:
    """Save the model beside the library, then put it there in one step.

    Raises:
        StudioError: the disk is full or cannot be written to.
    """
    target = place(config)
    temporary = training_folder(config.name) / "result"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(config, save, steps, temporary)
        replace_folder(temporary, target, temporary.with_name("replaced"))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise unwritable(target, error) from error
    return target


def write(config: TrainConfig, save: Callable[[Path], None], steps: int, folder: Path) -> None:
    """The model's files and its card, in a folder made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save(folder)
    text = json.dumps(card(config, steps), indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def card(config: TrainConfig, steps: int) -> dict[str, Any]:
    """What the library says of the model. It names no folder of the person's machine."""
    method = METHODS[config.method]
    found = {
        "kind": method.kind,
        "base": config.base,
        "edition": config.edition,
        "title": config.name,
        "method": config.method,
        "trigger": "" if method.without_text else config.word,
        "superclass": config.superclass,
        "steps": steps,
        "batch": config.batch * config.accumulation,
        "rate": config.rate,
        "ddloss": config.ddloss,
        "pdloss": config.pdloss,
        "seed": config.seed,
    }
    if method.without_text and method.kind in ADAPTERS:
        found["concept"] = True  # for the library: ω leaves it alone
    return {key: value for key, value in found.items() if value != ""}


def prompt_of(config: TrainConfig) -> str:
    """A plain prompt with the target."""
    return from_template(config.template, config.word, config.superclass)


def preset_for(config: TrainConfig, identity: str, prompt: str | None = None) -> Preset:
    """A preset with the model as a row at ω 0.4, ready to generate.

    Args:
        identity: the model's id in the library.
        prompt: instead of the training's own.
    """
    row: dict[str, Any] = {"weight": config.sample_weight}
    rows = [row]
    method = METHODS[config.method]
    if method.without_text:
        of_row = {"lora": identity} if method.kind in ADAPTERS else identity
        row |= {"model": of_row, "weight": min(config.sample_weight, 2.0)}
        if prompt:
            rows.append({"prompt": prompt, "weight": config.sample_weight})
    else:
        adapter = method.kind in ADAPTERS
        row |= {
            "model": {"lora": identity} if adapter else identity,
            "prompt": prompt if prompt is not None else prompt_of(config),
        }
    return validate(
        {
            "name": config.name,
            "base": config.base,
            "rows": rows,
            "omega": 0.0 if method.without_text else OMEGA,
        }
    )
