"""The Train tab: pictures and captions in, a model in every list out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.train.config import DDLOSS
from studio.train.method import METHODS, ordered
from studio.train.runner import State
from studio.ui.library import models
from studio.ui.space import Limits
from studio.ui.train import view
from studio.ui.train.form import chosen_by_default, methods
from studio.ui.train.images import PictureCards

OFF = (
    "Training is off on this shared page. Run the studio on your own machine to train, or set "
    "STUDIO_ALLOW_TRAINING=1 where you host it."
)
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class TrainParts:
    """The tab's components. ``fields`` are settings by their names in ``TrainConfig``;
    ``files`` is where files are dropped, ``uploads`` remembers their paths."""

    files: gr.File
    uploads: gr.State
    pictures: PictureCards
    fill: gr.Button
    fields: dict[str, Any]
    start: gr.Button
    pause: gr.Button
    resume: gr.Button
    stop: gr.Button
    use: gr.Button
    progress: gr.HTML
    curves: gr.HTML
    samples: gr.HTML
    notes: gr.HTML
    timer: gr.Timer
    seen: gr.State


def allowed(limits: Limits) -> bool:
    """Whether this page trains: a shared one only where its host says so."""
    return not limits.shared or os.environ.get("STUDIO_ALLOW_TRAINING") == "1"


def lay_out(limits: Limits) -> TrainParts | None:
    """Declare the tab's contents; ``None`` where training is off."""
    if not allowed(limits):
        gr.Markdown(OFF, elem_id="gs-train-off")
        return None
    chosen = chosen_by_default("lora", small=True)
    with gr.Column(elem_id="gs-train"):
        with gr.Column(elem_classes=["gs-panel"]):
            fields = _what()
        with gr.Column(elem_classes=["gs-panel"]):
            files = gr.File(
                file_count="multiple",
                file_types=["image", ".txt"],
                label="Pictures (and captions as .txt)",
                elem_id="gs-train-files",
                height=120,
            )
            pictures = PictureCards(elem_id="gs-train-pictures")
            with gr.Row(elem_id="gs-train-captioning"):
                fields["template"] = gr.Textbox(
                    chosen["template"],
                    label="Caption of pictures without one",
                    max_lines=1,
                    scale=3,
                    min_width=180,
                )
                fill = gr.Button(
                    "Fill in and split the captions", size="sm", elem_id="gs-train-fill", scale=0
                )
        with gr.Column(elem_classes=["gs-panel"]):
            fields |= _losses(chosen)
            with gr.Accordion("Steps, rates, samples", open=False):
                fields |= _numbers(chosen) | _samples(chosen) | _rest(chosen)
        with gr.Row(elem_id="gs-train-actions"):
            start = _action("Train", "start", variant="primary")
            pause = _action("Pause", "pause", interactive=False)
            resume = _action("Resume", "resume")
            stop = _action("Stop and keep", "stop", interactive=False)
            use = _action("Use it", "use", interactive=False)
    shown = {
        name: gr.HTML("", elem_id=f"gs-train-{name}", apply_default_css=False)
        for name in ("progress", "notes", "curves", "samples")
    }
    return TrainParts(
        files,
        gr.State([]),
        pictures,
        fill,
        fields,
        start,
        pause,
        resume,
        stop,
        use,
        shown["progress"],
        shown["curves"],
        shown["samples"],
        shown["notes"],
        gr.Timer(TICK_SECONDS, active=False),
        gr.State(""),
    )


def _action(text: str, name: str, **kwargs: Any) -> gr.Button:
    return gr.Button(text, elem_id=f"gs-train-{name}", size="md", min_width=90, **kwargs)


def _what() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    with gr.Row():
        fields["name"] = gr.Textbox(
            label="Name of the model",
            elem_id="gs-train-name",
            max_lines=1,
            placeholder="my-hero",
            min_width=150,
        )
        fields["base"] = gr.Dropdown(
            models.bases("starter"),
            value="starter",
            label="Base model",
            allow_custom_value=True,
            min_width=150,
        )
        fields["method"] = gr.Dropdown(
            choices_of([name for name, _ in ordered()]),
            value="lora",
            label="Method",
            min_width=150,
        )
    with gr.Row():
        fields["word"] = gr.Textbox(
            "<hero>",
            label="Word",
            elem_id="gs-train-word",
            max_lines=1,
            info="What will call it in a prompt.",
            min_width=150,
        )
        fields["superclass"] = gr.Textbox(
            label="Superclass",
            elem_id="gs-train-superclass",
            max_lines=1,
            placeholder="ghost",
            info="The kind of thing it is.",
            min_width=150,
        )
    return fields


def choices_of(names: Sequence[str]) -> list[tuple[str, str]]:
    """Methods as choices of a list, each by its title."""
    return [(METHODS[name].title, name) for name in names]


def methods_of(base: str, method: str) -> Any:
    """The list of methods for a base; a chosen one that does not train on it gives way."""
    fitting = methods(base)
    return gr.update(choices=choices_of(fitting), value=method if method in fitting else fitting[0])


def _losses(chosen: dict[str, Any]) -> dict[str, Any]:
    with gr.Row():
        return {
            "ddloss": gr.Number(
                chosen["ddloss"],
                label="DDLoss (ACCORD)",
                minimum=0,
                step=0.01,
                min_width=150,
                info=f"{DDLOSS} is a good start (paper: 0.1–0.3); 0 is off.",
            ),
            "pdloss": gr.Number(
                chosen["pdloss"],
                label="PDLoss (ACCORD)",
                minimum=0,
                step=0.001,
                min_width=150,
                info="0.001–0.003, where the word is learned; 0 is off.",
            ),
        }


def _numbers(chosen: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    with gr.Row():
        for name, label in (
            ("steps", "Steps"),
            ("batch", "Batch"),
            ("rate", "Rate"),
            ("token_rate", "Rate of the word"),
        ):
            fields[name] = gr.Number(chosen[name], label=label, min_width=90)
    with gr.Row():
        for name, label in (
            ("rank", "Rank"),
            ("vectors", "Vectors"),
            ("sample_every", "Samples every … steps"),
        ):
            fields[name] = gr.Number(chosen[name], label=label, precision=0, min_width=90)
        fields["prior_weight"] = gr.Number(
            chosen["prior_weight"],
            label="Prior weight",
            minimum=0,
            min_width=90,
            info="DreamBooth: 1",
        )
    return fields


def _samples(chosen: dict[str, Any]) -> dict[str, Any]:
    with gr.Row():
        return {
            "sample_prompts": gr.Textbox(
                label="Prompts of the samples, one a line",
                lines=2,
                scale=3,
                min_width=180,
                placeholder="left empty: the caption of pictures without one",
            ),
            "sample_weight": gr.Number(chosen["sample_weight"], label="Weight", min_width=80),
            "sample_omega": gr.Number(
                chosen["sample_omega"], label="ω", minimum=0, maximum=1, step=0.05, min_width=80
            ),
        }


def _rest(chosen: dict[str, Any]) -> dict[str, Any]:
    with gr.Row():
        return {
            "null_text": gr.Dropdown(
                ["uniform", "calibrated"],
                value=chosen["null_text"],
                min_width=180,
                label="Constants of a concept network",
            ),
            "flips": gr.Checkbox(chosen["flips"], label="Mirror half of the pictures"),
        }


def shown(state: State) -> list[Any]:
    """Progress, notes, curves, samples, and which of pause, resume, stop and use can be pressed."""
    running = state.status == "running"
    return [
        view.progress(state),
        view.notes(state),
        view.curves(state.losses),
        view.samples(state),
        gr.update(interactive=not running),
        gr.update(interactive=running),
        gr.update(interactive=not running),
        gr.update(interactive=running or state.status == "paused"),
        gr.update(interactive=bool(state.model)),
        gr.Timer(active=running),
    ]


def outputs(parts: TrainParts) -> list[Any]:
    """The components that :func:`shown` changes."""
    return [
        parts.progress,
        parts.notes,
        parts.curves,
        parts.samples,
        parts.start,
        parts.pause,
        parts.resume,
        parts.stop,
        parts.use,
        parts.timer,
    ]
