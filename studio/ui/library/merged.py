"""What the fields of *Merge models into one* say: the recipe, what will come, and its progress."""

from __future__ import annotations

import html
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any

from studio.errors import StudioError, shorten
from studio.library.merging import DIFFERENCE, LORAS, SUM, Recipe, baked
from studio.plan.merging import check
from studio.ui.describe import progress_bar
from studio.ui.errors import on_page, plain_line
from studio.ui.library import models
from studio.ui.library.models import megabytes

BEGIN = "Choose what is to be merged; what will come is said here."
LABELS = {
    "method": "Method",
    "A": "A, the model to begin with",
    "B": "B, the model to mix in",
    "C": "C, what B was made from",
    "multiplier": "Multiplier m",
    "loras": "LoRAs to bake in",
    "precision": "Kept in",
    "name": "Name of the merged model",
}
FILLED = ("A", "B", "C", "loras", "name")  # of which none is filled in to begin with
READ = {SUM: ("B",), DIFFERENCE: ("B", "C"), LORAS: ()}  # besides A


def wholes() -> list[str]:
    """Ids of what can be merged, and "" for none."""
    entries = models.library().entries()
    return [
        "",
        *(e.id for e in entries if e.kind in ("base", "finetune") and e.path and not e.quantised),
    ]


def adapters() -> list[str]:
    """Ids of what can be baked in, and "" for none."""
    return ["", *(entry.id for entry in models.library().entries() if entry.kind == "lora")]


def with_chosen(choices: list[str], chosen: str) -> list[str]:
    """The choices, and what is chosen though it is none of them."""
    return choices if not chosen or chosen in choices else [*choices, chosen]


def added(name: str, lines: str) -> tuple[str, str]:
    """A chosen LoRA as a line of its own, with the strength that is advised."""
    if not name:
        return "", lines
    # Of a name that the library lacks the line below the fields says so.
    entry = next((one for one in models.library().entries() if one.id == name), None)
    strength = entry.advised if entry is not None and entry.advised else "1"
    return "", "\n".join([*filter(None, (lines or "").splitlines()), f"{name}:{strength}"])


def recipe_of(given: Mapping[str, Any]) -> Recipe:
    """What the fields say; those that the method does not read are left out.

    Raises:
        StudioError: a LoRA's line without a strength that is a number, or no multiplier.
    """
    method = str(given["method"] or SUM)
    read = ("A", *READ.get(method, ()))
    places = {one: str(given[one] or "").strip() if one in read else "" for one in "ABC"}
    multiplier = given["multiplier"] if method != LORAS else 0.0
    if multiplier in (None, ""):
        raise StudioError("needs a number", field="multiplier")
    if not isinstance(multiplier, int | float):  # the field holds what was typed
        raise StudioError(f"must be a number, got {shorten(multiplier)}", field="multiplier")
    return Recipe(
        str(given["name"] or "").strip(),
        places["A"],
        places["B"],
        places["C"],
        float(multiplier),
        tuple(baked(line) for line in str(given["loras"] or "").splitlines() if line.strip()),
        str(given["precision"] or ""),
        method,
    )


def described(given: Mapping[str, Any]) -> str:
    """What would come, or the one line that says what is missing or wrong."""
    if not any(given[one] for one in FILLED):
        return said(BEGIN)
    try:
        recipe = recipe_of(given)
        found = check(recipe, models.library(), named=False)
    except StudioError as error:
        return said(on_page(str(error), LABELS), fault=True)
    line = f"{recipe.formula()} · about {megabytes(found.bytes)}"
    return said(f"{recipe.name} = {line}" if recipe.name else f"{line} · it needs a name")


def merged(given: Mapping[str, Any]) -> Generator[tuple[str, bool]]:
    """Status lines while a model is made, each with whether it is in the library now.

    Closing the generator stops it, and leaves nothing.
    """
    try:
        yield progress_bar(0, "Reading the models …"), False
        from studio.engine.merging.merge import Merged, merge

        shown = ("", -1)
        with closing(merge(recipe_of(given), models.library())) as events:
            for event in events:
                if isinstance(event, Merged):
                    notes = "".join(f" · {note}" for note in event.notes)
                    text = f"{event.id} is in the library · {megabytes(event.bytes)}{notes}"
                    yield progress_bar(1, text, "done"), True
                    return
                share = event.done / max(1, event.total)
                if (event.stage, int(100 * share)) != shown:
                    shown = event.stage, int(100 * share)
                    size = f"{megabytes(event.done)} of about {megabytes(event.total)}"
                    yield progress_bar(share, f"{event.stage} · {size}"), False
    except Exception as error:  # whatever a stranger's file does, the page shows one line
        yield progress_bar(0, on_page(plain_line(error), LABELS), "failed"), False


def said(text: str, fault: bool = False) -> str:
    """A line below the fields."""
    look = "gs-error" if fault else "gs-merge-line"
    return f'<p class="{look}" role="status">{html.escape(text)}</p>'
