"""The Train tab: pictures and captions in, a model in every list out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.images import SUFFIXES
from studio.train.begun import left_nothing
from studio.train.config import TrainConfig
from studio.train.method import METHODS, ordered
from studio.train.runner import Runner
from studio.ui.editor.field import Field
from studio.ui.library import models
from studio.ui.schema import leaves_of
from studio.ui.space import Limits
from studio.ui.train import view
from studio.ui.train.actions import ACTIONS, buttons
from studio.ui.train.defaults import chosen_by_default, methods
from studio.ui.train.dropped import CAPTIONS, LISTS
from studio.ui.train.images import PictureCards
from studio.ui.train.words import LABELS, NUMBERS
from studio.ui.widgets import Changes, Signal

OFF = (
    "Training is off on this shared page. Run the studio on your own machine to train, or set "
    "STUDIO_ALLOW_TRAINING=1 where you host it."
)
TICK_SECONDS = 1.0
ALWAYS = ("name", "base", "method")  # fields of every method


@dataclass(frozen=True)
class TrainParts:
    """The tab's components. ``fields`` are settings by their names in ``TrainConfig``;
    ``files`` is where files are dropped, ``uploads`` remembers their paths, ``kept`` brings back
    what the browser kept; ``changes`` tells of the form's, ``looks`` of who comes to look: another
    page may have begun a training; ``actions`` are the buttons of :data:`ACTIONS`; ``brought_for``: the
    method and base whose defaults came last."""

    files: gr.File
    uploads: Signal
    kept: gr.Textbox
    changes: Changes
    examples: gr.Button
    pictures: PictureCards
    fill: gr.Button
    fields: dict[str, Any]
    actions: dict[str, gr.Button]
    asking: gr.Column
    question: gr.HTML
    agree: gr.Button
    refuse: gr.Button
    unread: Signal
    faults: Signal
    progress: gr.HTML
    curves: gr.HTML
    samples: gr.HTML
    notes: gr.HTML
    timer: gr.Timer
    looks: Changes
    seen: gr.State
    brought_for: gr.State
    misnamed: gr.HTML
    refused: gr.HTML


def allowed(limits: Limits) -> bool:
    """Whether this page trains: a shared one only where its host says so."""
    return not limits.shared or os.environ.get("STUDIO_ALLOW_TRAINING") == "1"


def lay_out(limits: Limits) -> TrainParts | None:
    """Declare the tab's contents; ``None`` where training is off."""
    if not allowed(limits):
        gr.Markdown(OFF, elem_id="gs-train-off")
        return None
    chosen = chosen_by_default("lora", small=True)
    found: dict[str, Any] = {}
    with gr.Column(elem_id="gs-train"):
        with gr.Column(elem_id="gs-train-now", elem_classes=["gs-panel"]):
            _now(found)
        with gr.Column(elem_classes=["gs-panel"]):
            fields = _what(found)
        with gr.Column(elem_classes=["gs-panel"]):
            fields |= _pictures(found, chosen)
        with gr.Column(elem_classes=["gs-panel"]):
            fields |= _row(("ddloss", "pdloss"), chosen)
            with gr.Accordion("Steps, rates, samples", open=False):
                fields |= _row(("steps", "batch", "rate", "token_rate"), chosen)
                fields |= _row(("rank", "vectors", "sample_every", "prior_weight"), chosen)
                fields |= _samples(chosen) | _rest(chosen)
    return TrainParts(
        uploads=Signal("uploads"),
        unread=Signal("unread", unread_by("lora", list(fields))),
        faults=Signal("trainfaults"),
        kept=gr.Textbox("", visible=False, label="kept training"),
        changes=Changes("training"),
        fields=fields,
        timer=gr.Timer(TICK_SECONDS, active=False),
        looks=Changes("looks"),
        seen=gr.State(""),
        brought_for=gr.State(["lora", "starter"]),
        **found,
    )


def _now(found: dict[str, Any]) -> None:
    """What can be done, and how far it is: above the form, in sight while one looks at it."""
    with gr.Row(elem_id="gs-train-actions"):
        found["actions"] = {
            name: gr.Button(
                text,
                elem_id=f"gs-train-{name}",
                size="md",
                min_width=80,
                interactive=open_,
                variant="primary" if name == "start" else "secondary",
            )
            for name, text, open_ in ACTIONS
        }
    with gr.Column(visible=False, elem_id="gs-train-asking") as found["asking"]:
        found["question"] = gr.HTML("", apply_default_css=False)
        with gr.Row():
            found["agree"] = gr.Button("Train all the same", size="sm", elem_id="gs-train-agree")
            found["refuse"] = gr.Button("Not yet", size="sm", elem_id="gs-train-refuse")
    found["refused"] = gr.HTML(
        "", visible=False, elem_id="gs-train-refused", apply_default_css=False
    )
    for name in ("progress", "notes", "curves", "samples"):
        found[name] = gr.HTML("", elem_id=f"gs-train-{name}", apply_default_css=False)


def _what(found: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    with gr.Row():
        fields["name"] = gr.Textbox(
            label=LABELS["name"],
            elem_id="gs-train-name",
            max_lines=1,
            placeholder="my-hero",
            min_width=150,
        )
        fields["base"] = gr.Dropdown(
            models.bases("starter"),
            value="starter",
            label=LABELS["base"],
            allow_custom_value=True,
            min_width=150,
        )
        fields["method"] = gr.Dropdown(
            choices_of([name for name, _ in ordered()]),
            value="lora",
            label=LABELS["method"],
            filterable=False,  # so that its value can stand there in the page's language
            min_width=150,
        )
    found["misnamed"] = gr.HTML("", visible=False, apply_default_css=False)
    with gr.Row():
        fields["word"] = gr.Textbox(
            "<hero>",
            label=LABELS["word"],
            elem_id="gs-train-word",
            max_lines=1,
            info="What will call it in a prompt.",
            min_width=150,
        )
        fields["superclass"] = gr.Textbox(
            label=LABELS["superclass"],
            elem_id="gs-train-superclass",
            max_lines=1,
            placeholder="ghost",
            info="The kind of thing it is.",
            min_width=150,
        )
    return fields


def _pictures(found: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    found["files"] = gr.File(
        file_count="multiple",
        file_types=[*SUFFIXES, *CAPTIONS, *LISTS],
        label="Pictures, and their captions (a text each, or one .json)",
        elem_id="gs-train-files",
        height=150,
    )
    found["examples"] = gr.Button(
        "Try it with the example pictures", size="sm", elem_id="gs-train-examples"
    )
    found["pictures"] = PictureCards(elem_id="gs-train-pictures")
    with gr.Row(elem_id="gs-train-captioning"):
        template = gr.Textbox(
            chosen["template"],
            label=LABELS["template"],
            elem_id="gs-train-template",
            max_lines=1,
            scale=3,
            min_width=180,
        )
        found["fill"] = gr.Button(
            "Fill in and split the captions", size="sm", elem_id="gs-train-fill", scale=0
        )
    return {"template": template}


def choices_of(names: Sequence[str]) -> list[tuple[str, str]]:
    """Methods as choices of a list, each by its title."""
    return [(METHODS[name].title, name) for name in names]


def methods_of(base: str, method: str) -> Any:
    """The list of methods for a base; a chosen one that does not train on it gives way."""
    fitting = methods(base)
    return gr.update(choices=choices_of(fitting), value=method if method in fitting else fitting[0])


def unread_by(method: str, fields: Sequence[str]) -> list[str]:
    """The fields that mean nothing to a method; a script hides them."""
    record = METHODS.require(method, "method")
    return [name for name in fields if name not in ALWAYS and not record.reads(name)]


def _row(names: Sequence[str], chosen: dict[str, Any]) -> dict[str, Any]:
    with gr.Row(elem_classes=["gs-train-numbers"]):
        return {name: _number(name, chosen[name]) for name in names}


def _number(name: str, value: Any) -> Field:
    title, said = NUMBERS[name]
    leaf = {**leaves_of(TrainConfig)[name], "title": title, "help": said, "name": f"train_{name}"}
    return Field(leaf, value, elem_id=f"gs-train-field-{name}")


def _samples(chosen: dict[str, Any]) -> dict[str, Any]:
    prompts = gr.Textbox(
        label=LABELS["sample_prompts"],
        elem_id="gs-train-sample_prompts",
        lines=2,
        placeholder="left empty: the caption of pictures without one",
    )
    return {"sample_prompts": prompts, **_row(("sample_weight", "sample_omega"), chosen)}


def _rest(chosen: dict[str, Any]) -> dict[str, Any]:
    constants = {**leaves_of(TrainConfig)["null_text"], "title": LABELS["null_text"]}
    with gr.Row():
        return {
            "null_text": Field(
                {**constants, "name": "train_null_text"},
                chosen["null_text"],
                elem_id="gs-train-field-null_text",
            ),
            "flips": gr.Checkbox(chosen["flips"], label=LABELS["flips"], elem_id="gs-train-flips"),
        }


def shown(runner: Runner, name: str = "", ends: bool = False) -> list[Any]:
    """Progress, notes, curves, samples, which actions are possible, and whether to look again."""
    state = runner.state
    return [
        progress(runner, name),
        view.notes(state),
        view.curves(state.losses),
        view.samples(state),
        *buttons(runner, name),
        beat(runner, ends),
    ]


def beat(runner: Runner, ends: bool = False) -> Any:
    """Whether to look again. Only the beat itself ``ends``: any other answer may have been asked for
    before a training began and come after it."""
    if runner.state.status == "running":
        return gr.Timer(active=True)
    return gr.Timer(active=False) if ends else gr.skip()


def progress(runner: Runner, name: str = "") -> str:
    """The bar: of the training of this start, else what an earlier one left of the named one."""
    if not name or runner.state.status != "idle":
        return view.progress(runner.state, lost=runner.lost(), form=name)
    begun = runner.can_resume(name)
    own = runner.state.config  # of this start, which says itself how it ended
    gone = not begun and (own is None or own.name != name) and left_nothing(name)
    made = begun and runner.made(name) is not None  # it was stopped and kept
    return view.progress(runner.state, name if begun else "", name if gone else "", made=made)


def outputs(parts: TrainParts) -> list[Any]:
    """The components that :func:`shown` changes."""
    drawn = [parts.progress, parts.notes, parts.curves, parts.samples]
    return [*drawn, *parts.actions.values(), parts.timer]
