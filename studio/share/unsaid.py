"""What the web UIs' ``parameters`` cannot say of a preset, a line each."""

from __future__ import annotations

import re

from studio.preset import ModelRef, Preset, Row
from studio.preset.freeu import NAMES
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.prompts import split_prompt
from studio.preset.refinements import path_of
from studio.preset.schedulers import AUTOMATIC, SCHEDULERS
from studio.preset.variants import varies
from studio.share.turns import all_along, is_said, leading
from studio.share.units import units_unsaid

OURS_ALONE = ("image", "image_prompt", "mask", "range", "curve", "reference")
SAID = "guidance_rescale"  # the one refinement that the grammar has a key for
# Typed in a prompt: text here, and more than that there.
THERE = {
    r"<\w{1,40}:[^>]+>": "a tag such as <lora:…> is plain words here; there, it loads a network or is "
    "left out",
    "#": "there, what follows # in a line is a comment and is left out",
    r"(?m)^\s*Negative prompt:": "there, this begins the negative prompt",
}
_LAST_WEIGHT = re.compile(r":\s*[-+]?(?:\d+\.?\d*|\d*\.\d+)\s*\Z")


def unsaid(preset: Preset) -> list[str]:
    """What :func:`studio.share.parameters.parameters_text` leaves out or changes; names the fields."""
    rows = preset.active_rows()
    whole = all_along(rows)
    found = [note for index, row in rows for note in _of_row(index, row, index in whole)]
    found += [note for index, row in rows for note in _typed(index, row, rows)]
    found += units_unsaid(preset)
    return [*found, *_weights(rows), *_whole(preset, [row for _, row in rows])]


def _of_row(index: int, row: Row, all_along: bool) -> list[str]:
    if not is_said(row):
        return [f"rows.{index}: it has no prompt, and is left out"]
    found = [
        f"rows.{index}.{name}: left out, the text has no place for it"
        for name in OURS_ALONE
        if getattr(row, name) != Row.model_fields[name].default
        and not (name == "range" and all_along)
    ]
    model = row.model.model if isinstance(row.model, ModelRef) else row.model
    if model:
        found.append(f"rows.{index}.model: {model!r} is left out, and the base predicts")
    if isinstance(row.model, ModelRef) and row.model.adapters():
        found.append(f"rows.{index}.model: there, a LoRA acts on every prompt of the picture")
    return found


def _typed(index: int, row: Row, rows: list[tuple[int, Row]]) -> list[str]:
    """What the web UI reads otherwise in a prompt than the studio does."""
    prompt = row.prompt
    found = [text for pattern, text in THERE.items() if re.search(pattern, prompt)]
    if varies(prompt):
        found.append("{a|b} and __file__ choose here; there, an extension must, or they are text")
    several = len(split_prompt(prompt)) > 1
    if several and row.weight < 0:
        found.append("there, AND is plain text in a negative prompt")
    lone = [one for _, one in leading(rows) if one.weight > 0] == [row]
    if lone and not several and _LAST_WEIGHT.search(prompt):
        found.append("there, the number after its last colon is a weight")
    return [f"rows.{index}.prompt: {text}" for text in found]


def _weights(rows: list[tuple[int, Row]]) -> list[str]:
    """A negative prompt there weighs 1 minus the scale, whatever it weighs here."""
    rows = leading(rows)
    positive = [
        row.weight * share
        for _, row in rows
        if row.weight > 0
        for _, share in split_prompt(row.prompt)
    ]
    negative = [(index, row.weight) for index, row in rows if row.weight < 0]
    if not positive:
        return ["rows: none with a prompt has a weight above 0, and the text has no prompt"]
    there = 1 - sum(positive)
    found = []
    if len(negative) > 1:
        found.append(f"rows: {len(negative)} rows below 0 become one negative prompt")
    given = sum(weight for _, weight in negative)
    if negative and abs(given - there) > 1e-6:
        found.append(
            f"rows.{negative[0][0]}.weight: a negative prompt weighs {there:g} there, and {given:g} here"
        )
    return found


def _whole(preset: Preset, rows: list[Row]) -> list[str]:
    sampler, found = preset.sampler, []
    lora = any(isinstance(row.model, ModelRef) and row.model.adapters() for row in rows)
    if lora and preset.omega != 1:
        found.append(f"omega: 1 there, {preset.omega:g} here")
    parts = any(row.weight > 0 and len(split_prompt(row.prompt)) > 1 for row in rows)
    if parts and preset.decoupling != 1:
        found.append(f"decoupling: 1 there, {preset.decoupling:g} here")
    found += [
        f"{path_of(one.name)}: {one.record.title} is left out"
        for one in preset.refine.chosen
        if one.name != SAID
    ]
    if preset.distilled_guidance is not None:
        found.append("distilled_guidance: left out")
    if preset.refiner.on and preset.second_pass.on and not preset.init:
        found.append("refiner.model: left out; there, the second pass alone would have it")
    if preset.init:
        found.append("init: the picture to start from is left out; its strength is said")
    if preset.init and preset.init.loops > 1:
        found.append("init.loops: left out, there, a script has them")
    if preset.init and preset.second_pass.on:
        found.append("second_pass.scale: left out, there is none after a picture to start from")
    elif preset.second_pass.on and preset.second_pass.tiles:
        found.append("second_pass.tiles: left out, the picture is made at once")
    again = preset.second_pass
    for field, text, of_side in (
        ("prompt", again.prompt, [row for row in rows if row.weight > 0 and row.prompt]),
        ("negative_prompt", again.negative_prompt, [r for r in rows if r.weight < 0 and r.prompt]),
    ):
        if again.paints and text and len(of_side) > 1:
            found.append(f"second_pass.{field}: there, it takes the place of all rows of its side")
    if preset.detail.on and preset.detail.finder != "faces":
        found.append("detail.finder: left out, there, parts are found by other networks")
    if preset.seamless in ("x", "y"):
        found.append("seamless: left out; there, the edges of both directions meet or none")
    if preset.freeu.on:
        found.append(
            "freeu.on: there, Forge reads it, as version 2, by the channels of the levels; here it is "
            "version 1, by their order"
        )
        open_ = [name for name in NAMES if name not in preset.freeu.factors()]
        if open_:
            found.append(f"freeu.on: {', '.join(open_)} are left out, they are the base's own")
    if preset.clip_skip == 1:
        found.append("clip_skip: there, 1 is the layer that the model reads anyway")
    if sampler.tiles:
        found.append("sampler.tiles: left out, the picture is made at once")
    schedule = NOISE_SCHEDULES[sampler.schedule]
    for field, name in (
        ("sampler.scheduler", sampler.scheduler),
        ("second_pass.scheduler", again.scheduler if again.paints else None),
    ):
        if name and not SCHEDULERS[name].a1111:
            title = SCHEDULERS[name].title
            found.append(f"{field}: {title} has no name there that is known")
    if sampler.schedule != AUTOMATIC and not schedule.a1111:
        found.append(f"sampler.schedule: {schedule.title} has no name there that is known")
    return found
