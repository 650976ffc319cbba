"""The tour: six steps that each do something, a preset and a sentence each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from studio.ui.widgets import Drawn, given

MOUNT = "studio.mountTour(element.firstElementChild, trigger, %s); /* 'select' 'submit' */"
END = "That was the tour: rows and their signs, ω, decoupling, masks, training. Help says what each field does."


@dataclass(frozen=True)
class Step:
    """One step. ``preset``: a file of the shipped presets, without its suffix; ``target``: what to look
    at, as a CSS selector; ``action``: what its button does, by the script's names, and ``button`` what
    it says."""

    title: str
    text: str
    preset: str
    target: str
    action: str = "generate"
    button: str = "Generate"


STEPS = (
    Step(
        "A negative row",
        "Row 2 has a weight below zero, so it pushes the picture away from “tweet style”: generate, "
        "switch the row off with its eye, and generate again.",
        "02-negative-row",
        ".gs-card:nth-of-type(2)",
    ),
    Step(
        "Two rows",
        "A concept network without any words brings the face, a prompt the style; the line above "
        "Generate is the sum of both.",
        "04-concept-and-style",
        "#gs-plan",
    ),
    Step(
        "ω from 0 to 1",
        "ω is how much of what the LoRA learned the unconditional pass has too: at 0 the subject "
        "comes through most, at 1 it is plain guidance; the strip shows what lies between.",
        "07-lora-omega-0",
        "#gs-field-omega",
        "strip",
        "Make the strip",
    ),
    Step(
        "Decoupling",
        "AND splits a prompt into parts that guide apart: generate, slide Condition decoupling to 0, "
        "where they are one prompt again, and generate once more.",
        "05-decoupling-on",
        "#gs-field-decoupling",
    ),
    Step(
        "Masks",
        "Rows 2 and 3 ask for different backgrounds, and each acts only where its mask is white.",
        "12-masks",
        ".gs-card:nth-of-type(2)",
    ),
    Step(
        "Train",
        "The hero was learned from six pictures: the Train tab makes a row like this one from yours, "
        "and the example pictures fill it in.",
        "08-lora-omega-1",
        "#gs-tabs",
        "train",
        "Fill in the example",
    ),
)


class Tour(Drawn):
    """Stands over the page's foot while it runs. ``select`` loads the preset of a step, by its id on
    the shelf, ``submit`` makes the strip over ω of what the form holds."""

    def __init__(self, **kwargs: Any) -> None:
        steps = [{**dataclasses.asdict(step), "preset": f"starter:{step.preset}"} for step in STEPS]
        super().__init__({}, MOUNT % given(steps=steps, end=END), elem_id="gs-tour", **kwargs)
