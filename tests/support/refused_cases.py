"""Presets that are refused: at which field, in which words, and what their guard keeps away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from studio.preset.schedulers import SCHEDULERS

SD = {"scheduler": "ddim", "steps": 1, "seed": 3, "width": 16, "height": 16}
FLOW = {**SD, "scheduler": "euler"}
CONTROL = {"type": "map", "image": "map.png"}


@dataclass(frozen=True)
class Case:
    """Fields of a preset that are refused at a field, and parts of the message. ``without``: takes the
    guard away; ``instead``: fields that then give the very same picture, ``None`` where it raises."""

    fields: Mapping[str, Any]
    at: str
    given: str
    allowed: str
    without: Mapping[str, Any] = field(default_factory=dict)
    instead: Mapping[str, Any] | None = None


def row(**fields: Any) -> dict[str, Any]:
    """A preset's rows: a plain one, and one with ``fields``."""
    return {"rows": [{"prompt": "cat"}, {"prompt": "a dog", "weight": 2.0, **fields}]}


def nothing(*_: Any) -> None:
    """A guard that lets everything through."""


CONCEPT = {"studio.plan.row_models._check_concept": nothing}
EYE = {"model": "base/concept", "prompt": ""}
CASES: Mapping[str, Case] = {
    "a concept network with a LoRA": Case(
        row(model={"model": "base/concept", "lora": "base/style"}),
        "rows.1.model",
        "'base/concept' is a null-text network",
        "a row of their own",
        CONCEPT,
    ),
    "a concept network with a control image": Case(
        row(**EYE, control={**CONTROL, "model": "base/lines"}),
        "rows.1.model",
        "'base/concept'",
        "a row of their own",
        CONCEPT,
        row(**EYE),
    ),
    "a concept network with a learned word": Case(
        row(prompt="<cat>", model={"model": "base/concept", "embeddings": ["cat-word"]}),
        "rows.1.model",
        "'base/concept'",
        "a row of their own",
        CONCEPT,
        row(**EYE),
    ),
    "a control image for SANA": Case(
        {"base": "sana", "sampler": FLOW, **row(control={**CONTROL, "model": "base/lines"})},
        "rows.1.control",
        "'sana' takes no control image",
        "Stable Diffusion 1.x",
        {"studio.plan.row_models._check_control": nothing},
    ),
    "a ControlNet of another family": Case(
        row(control={**CONTROL, "model": "xl/guide"}),
        "rows.1.control.model",
        "'xl/guide' is a controlnet for Stable Diffusion XL",
        "'base' is Stable Diffusion 1.x",
        {"studio.plan.row_models._check_family": nothing},
    ),
    "what is no ControlNet": Case(
        row(control={**CONTROL, "model": "base/style"}),
        "rows.1.control.model",
        "'base/style' is a lora",
        "controlnet",
        {"studio.plan.row_models._check_control": nothing},
    ),
    "a picture for a model that edits none": Case(
        row(image="map.png"),
        "rows.1.image",
        "'base' takes no picture to edit",
        "InstructPix2Pix",
        {"studio.plan.row_models._check_picture": nothing},
        row(),
    ),
    "a learned word for SANA": Case(
        {"base": "sana", "sampler": FLOW, **row(prompt="<cat>", model="cat-word")},
        "rows.1.model",
        "such as <cat>",
        "Stable Diffusion 1.x",
        {
            "studio.plan.row_models._check_words": nothing,
            "studio.plan.row_models._check_family": nothing,
        },
    ),
    "a LoRA of another width": Case(
        row(model="wide"),
        "rows.1.model",
        "24→8",
        "16→8",
        {
            "studio.engine.adapters.kinds._check_ends": nothing,
            "studio.engine.adapters.lora._check_layer": nothing,
        },
    ),
    "a LoRA of another width, in the base term too": Case(
        {"omega": 0.4, **row(model="wide")},
        "rows.1.model",
        "24→8",
        "16→8",
        {
            "studio.engine.adapters.kinds._check_ends": nothing,
            "studio.engine.adapters.lora._check_layer": nothing,
        },
    ),
    "an adapter of another family": Case(
        row(model="xl-style"),
        "rows.1.model",
        "'xl-style'",
        "",
        {"studio.engine.adapters.lora._check_layer": nothing},
    ),
    "a fine-tune of another architecture, half of the way": Case(
        {"omega": 0.4, **row(model="deeper")},
        "omega",
        "'deeper' has another architecture than 'base'",
        "set omega to 0",
        {"studio.engine.networks.blending._check_same_shape": nothing},
    ),
    "a scheduler of noise for a flow": Case(
        {"base": "sana", "sampler": SD, "rows": []},
        "sampler.scheduler",
        "DDIM (ddim)",
        "euler",
        {
            "studio.diffusion.times.check": lambda sampler, *_: replace(
                SCHEDULERS[sampler.scheduler], flow_times="flow_euler"
            )
        },
    ),
    "a noise schedule that the scheduler does not take": Case(
        {"sampler": {**SD, "steps": 3, "schedule": "karras"}, "rows": []},
        "sampler.schedule",
        "Karras (karras)",
        "trailing",
    ),
}
