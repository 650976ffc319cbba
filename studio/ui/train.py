"""The Train tab: pictures and captions in, a model in every list out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.train.config import defaults
from studio.train.runner import State
from studio.ui import models, train_view
from studio.ui.space import Limits
from studio.ui.train_form import chosen_by_default

OFF = (
    "Training is off on this shared page. Run the studio on your own machine to train, or set "
    "STUDIO_ALLOW_TRAINING=1 where you host it."
)
HEADERS = ["Picture", "Caption", "Target", "General text"]
TITLES: dict[str, str] = {
    "lora": "LoRA", "dreambooth": "DreamBooth (the whole network)", "ti": "Textual inversion",
    "lora+ti": "LoRA and textual inversion", "custom-diffusion": "Custom Diffusion", "oft": "OFT",
    "visual-encoder": "Visual encoder", "concept": "Concept network (pictures alone)",
}  # fmt: skip
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class TrainParts:
    """The tab's components. ``fields`` are settings by their names in ``TrainConfig``."""

    files: gr.File
    table: gr.Dataframe
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
    with gr.Column(elem_id="gs-train"):
        files = gr.File(
            file_count="multiple", file_types=["image", ".txt"], label="Pictures (and captions as .txt)",
            elem_id="gs-train-files", height=140,
        )  # fmt: skip
        fields = _what()
        table = gr.Dataframe(
            headers=HEADERS, type="array", datatype="str", column_count=4, row_count=0, wrap=True,
            static_columns=[0], interactive=True, label="Captions", elem_id="gs-train-captions",
            max_height=260,
        )  # fmt: skip
        fill = gr.Button("Fill in and split the captions", size="sm", elem_id="gs-train-fill")
        fields |= _how()
        with gr.Row(elem_id="gs-train-actions"):
            start = gr.Button("Train", variant="primary", elem_id="gs-train-start")
            pause = gr.Button("Pause", elem_id="gs-train-pause", interactive=False)
            resume = gr.Button("Resume", elem_id="gs-train-resume")
            stop = gr.Button("Stop and keep", elem_id="gs-train-stop", interactive=False)
            use = gr.Button("Use it", elem_id="gs-train-use", interactive=False)
    shown = {
        name: gr.HTML("", elem_id=f"gs-train-{name}", apply_default_css=False)
        for name in ("progress", "notes", "curves", "samples")
    }
    return TrainParts(
        files, table, fill, fields, start, pause, resume, stop, use,
        shown["progress"], shown["curves"], shown["samples"], shown["notes"],
        gr.Timer(TICK_SECONDS, active=False), gr.State(""),
    )  # fmt: skip


def _what() -> dict[str, Any]:
    with gr.Row():
        fields: dict[str, Any] = {
            "name": gr.Textbox(
                label="Name of the model",
                elem_id="gs-train-name",
                max_lines=1,
                placeholder="my-hero",
            ),
            "base": gr.Dropdown(
                models.bases("starter"),
                value="starter",
                label="Base model",
                allow_custom_value=True,
            ),
        }
    with gr.Row():
        fields["method"] = gr.Dropdown(
            [(title, method) for method, title in TITLES.items()], value="lora", label="Method"
        )
        fields["word"] = gr.Textbox(
            "<hero>",
            label="Word",
            elem_id="gs-train-word",
            max_lines=1,
            info="What will call it in a prompt.",
        )
        fields["superclass"] = gr.Textbox(
            label="Superclass",
            elem_id="gs-train-superclass",
            max_lines=1,
            placeholder="ghost",
            info="The kind of thing it is.",
        )
    fields["template"] = gr.Textbox(
        defaults("lora", small=True).get("template", "a {word} {superclass}"),
        label="Caption of pictures without one", max_lines=1,
    )  # fmt: skip
    return fields


def _how() -> dict[str, Any]:
    chosen = chosen_by_default("lora", small=True)
    fields: dict[str, Any] = {}
    with gr.Row():
        fields["ddloss"] = gr.Number(
            0, label="DDLoss (ACCORD)", minimum=0, info="0.1-0.3 in the paper; 0 is off."
        )
        fields["pdloss"] = gr.Number(
            0, label="PDLoss (ACCORD)", minimum=0, step=0.001,
            info="0.001-0.003 in the paper, where the word is learned; 0 is off.",
        )  # fmt: skip
    with gr.Accordion("Steps, rates, samples", open=False):
        with gr.Row():
            for name, label in (
                ("steps", "Steps"), ("batch", "Batch"), ("rate", "Rate"),
                ("token_rate", "Rate of the word"),
            ):  # fmt: skip
                fields[name] = gr.Number(chosen.get(name), label=label, min_width=90)
        with gr.Row():
            for name, label in (
                ("rank", "Rank"), ("vectors", "Vectors"), ("sample_every", "Samples every … steps"),
            ):  # fmt: skip
                fields[name] = gr.Number(
                    chosen.get(name, 1 if name == "vectors" else 100), label=label, precision=0,
                    min_width=90,
                )  # fmt: skip
            fields["prior_weight"] = gr.Number(
                0, label="Prior preservation", minimum=0, min_width=90, info="DreamBooth: 1"
            )
        with gr.Row():
            fields["sample_prompts"] = gr.Textbox(
                label="Prompts of the samples, one a line", lines=2, scale=3,
                placeholder="left empty: the caption of pictures without one",
            )  # fmt: skip
            fields["sample_weight"] = gr.Number(
                chosen["sample_weight"], label="Weight", min_width=80
            )
            fields["sample_omega"] = gr.Number(
                0.4, label="ω", minimum=0, maximum=1, step=0.05, min_width=80
            )
        with gr.Row():
            fields["null_text"] = gr.Dropdown(
                ["uniform", "calibrated"], value="uniform", label="Constants of a concept network"
            )
            fields["flips"] = gr.Checkbox(False, label="Mirror half of the pictures")
    return fields


def shown(state: State) -> list[Any]:
    """Progress, notes, curves, samples, and which of pause, resume, stop and use can be pressed."""
    running = state.status == "running"
    return [
        train_view.progress(state),
        train_view.notes(state),
        train_view.curves(state.losses),
        train_view.samples(state),
        gr.update(interactive=not running),
        gr.update(interactive=running),
        gr.update(interactive=not running),
        gr.update(interactive=running or state.status == "paused"),
        gr.update(interactive=bool(state.model)),
        gr.Timer(active=running),
    ]


def outputs(parts: TrainParts) -> list[Any]:
    """The components that :func:`shown` changes."""
    return [parts.progress, parts.notes, parts.curves, parts.samples, parts.start, parts.pause,
            parts.resume, parts.stop, parts.use, parts.timer]  # fmt: skip
