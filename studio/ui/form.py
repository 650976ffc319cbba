"""The form: which components hold which fields of a preset, and the way there and back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from studio.preset import Init, Preset, validate

SCHEDULERS = [
    ("DPM-Solver++", "dpm++"),
    ("DDIM", "ddim"),
    ("Euler", "euler"),
    ("Euler ancestral", "euler_a"),
    ("UniPC", "unipc"),
]


@dataclass(frozen=True)
class Form:
    """The components that together hold one preset, in the order of :func:`to_preset`."""

    name: gr.Textbox
    description: gr.Textbox
    base: gr.Dropdown
    rows: Any
    omega: gr.Slider
    decoupling: gr.Slider
    scheduler: gr.Dropdown
    steps: gr.Slider
    seed: gr.Number
    width: gr.Number
    height: gr.Number
    count: gr.Slider
    guidance_rescale: gr.Slider
    apg_eta: gr.Slider
    apg_norm_threshold: gr.Number
    apg_momentum: gr.Slider
    cfgpp: gr.Checkbox
    init: Any

    def components(self) -> list[Any]:
        """Inputs and outputs of every handler that reads or fills the form."""
        return [getattr(self, field.name) for field in fields(self)]


SIZE = len(fields(Form))


def to_preset(
    name: str,
    description: str,
    base: str,
    rows: Any,
    omega: float,
    decoupling: float,
    scheduler: str,
    steps: float,
    seed: float,
    width: float | None,
    height: float | None,
    count: float,
    guidance_rescale: float,
    apg_eta: float,
    apg_norm_threshold: float | None,
    apg_momentum: float,
    cfgpp: bool,
    init: Init | dict[str, Any] | None,
) -> Preset:
    """The preset that the form shows.

    Raises:
        BadPreset: names the field at fault.
    """
    sampler = {
        "scheduler": scheduler,
        "steps": _whole(steps),
        "seed": _whole(seed, empty=-1),
        "width": _whole(width) or None,
        "height": _whole(height) or None,
        "count": _whole(count),
    }
    apg = {"eta": apg_eta, "norm_threshold": apg_norm_threshold or 0.0, "momentum": apg_momentum}
    return validate(
        {
            "name": name or "",
            "description": description or "",
            "base": base,
            "rows": rows,
            "omega": omega,
            "decoupling": decoupling,
            "guidance_rescale": guidance_rescale,
            "apg": apg,
            "cfgpp": cfgpp,
            "init": init,
            "sampler": sampler,
        }
    )


def to_values(preset: Preset) -> list[Any]:
    """What the form's components show for ``preset``."""
    sampler, apg = preset.sampler, preset.apg
    return [
        preset.name,
        preset.description,
        preset.base,
        preset.rows,
        preset.omega,
        preset.decoupling,
        sampler.scheduler,
        sampler.steps,
        sampler.seed,
        sampler.width,
        sampler.height,
        sampler.count,
        preset.guidance_rescale,
        apg.eta,
        apg.norm_threshold,
        apg.momentum,
        preset.cfgpp,
        preset.init,
    ]


def _whole(value: Any, empty: Any = None) -> Any:
    """A slider's 25.0 as 25; anything else is left for the preset to refuse."""
    if value is None or value == "":
        return empty
    return int(value) if isinstance(value, float) and value.is_integer() else value
