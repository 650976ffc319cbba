"""How large a plan may be: parts of a prompt, terms of all rows, and terms over all steps.

A preset of a few kilobytes can ask for millions of coefficients. Nothing that a person draws with
comes near these limits: a step of a thousand passes takes minutes on any machine.
"""

from __future__ import annotations

from studio.errors import BadPreset
from studio.preset import Preset
from studio.preset.prompts import split_prompt

MAX_PARTS = 64  # of one prompt, around AND
MAX_TERMS = 1000  # of all rows that take part: each is one pass, or two with its reference
MAX_STEP_TERMS = 100_000  # the same times the steps
_step_terms = MAX_STEP_TERMS


def narrow(step_terms: int) -> None:
    """Allow less from now on in this process: a page that visitors share."""
    global _step_terms
    _step_terms = min(MAX_STEP_TERMS, step_terms)


def check_size(preset: Preset, steps: int) -> None:
    """Refuse a plan that would be too large, before it is made.

    Args:
        steps: how many the plan will have.

    Raises:
        BadPreset: names the prompt, or the rows, and about how many passes it would take.
    """
    terms = 0
    for index, row in preset.active_rows():
        parts = len(split_prompt(row.prompt))
        if parts > MAX_PARTS:
            raise BadPreset(
                f"{parts} parts around AND; a prompt has at most {MAX_PARTS}",
                field=f"rows.{index}.prompt",
            )
        terms += parts + (parts > 1 and preset.decoupling < 1)
    if terms > MAX_TERMS or terms * steps > _step_terms:
        allowed = min(MAX_TERMS, _step_terms // max(1, steps))
        raise BadPreset(
            f"about {terms} passes in each of {steps} steps, {terms * steps} in all; "
            f"a plan has at most {allowed} with so many steps",
            field="rows",
        )
