"""A style taken off a preset again."""

from __future__ import annotations

from typing import Any

from studio.errors import BadPreset
from studio.preset import Preset, validate
from studio.preset.rows import AdapterRef, Row
from studio.preset.style_parts import text_stands_in, text_taken_out
from studio.preset.styles import Style, negative_of
from studio.share.model_names import Shelf
from studio.share.styled import Models, brought_by, parts_of, plain_of, taking, with_parts
from studio.share.tools.additions import Additions
from studio.share.tools.prompts import Lora


def unstyled(preset: Preset, style: Style, models: Models = ()) -> Preset:
    """The preset without what :func:`studio.share.styled.styled` added of a style and still stands there
    as it was added: its texts, its rows, and the LoRAs that its tags name.

    Raises:
        BadPreset: nothing of it stands there.
    """
    field = f"style {style.name[:80]!r}"
    bare, loras = plain_of(style, field, [])
    brought = brought_by(bare, preset, models, field, [])
    shelf = Shelf(models)
    named = _adapters(loras, preset, shelf, field)
    others = [row for row in preset.rows if row not in brought]
    adapted, negative = taking(list(preset.rows), brought), negative_of(preset.rows)
    rows: list[Row] = []
    for index, row in enumerate(preset.rows):
        if others and row in brought:
            continue
        text = bare.prompt if row.weight > 0 else bare.negative * (index == negative)
        left = row
        if text and text_stands_in(row.prompt, text):
            left = row.model_copy(update={"prompt": text_taken_out(row.prompt, text)})
        base, had, words = parts_of(left, shelf)
        kept = [one for one in had if index not in adapted or one not in named]
        left = with_parts(left, base, kept, words) if len(kept) < len(had) else left
        if not _is_none(left, row, rows):
            rows.append(left)
    data: dict[str, Any] = {"rows": [row.model_dump(mode="json") for row in rows]}
    found = validate({**preset.model_dump(mode="json"), **data})
    if found == preset:
        raise BadPreset("does not stand in the rows as it was added", field=field)
    return found


def left_of(preset: Preset, style: Style, models: Models = ()) -> list[str]:
    """What of a style is still in a preset that it was taken off: a line for each LoRA of its tags, which
    has another strength by now."""
    field, shelf = f"style {style.name[:80]!r}", Shelf(models)
    loras = plain_of(style, field, [])[1]
    named = {one["lora"] for one in _adapters(loras, preset, shelf, field)}
    return [
        f"rows.{index}.model: the LoRA {one['lora']!r} stays, as its strength is not the style's"
        for index, row in enumerate(preset.rows)
        for one in parts_of(row, shelf)[1]
        if one["lora"] in named
    ]


def _adapters(loras: list[Lora], preset: Preset, shelf: Shelf, field: str) -> list[dict[str, Any]]:
    """The adapters that a style's tags give, as rows have them."""
    found = Additions(shelf, preset.base, [], "the style").loras(loras, field)
    return [AdapterRef(**one).model_dump(mode="json") for one in found]


def _is_none(left: Row, row: Row, before: list[Row]) -> bool:
    """Whether a row was there for the style's negative text alone: without it, it is the base term."""
    if left.prompt or not row.prompt or not before:
        return False
    return left == Row(prompt="", weight=1 - before[0].weight, model=before[0].model)
