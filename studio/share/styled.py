"""A style over a preset with the web UI's ``<lora:name:weight>`` tags as adapters of the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.library import ADAPTERS, ModelEntry
from studio.preset import ModelRef, Preset, validate
from studio.preset.bounds import most
from studio.preset.rows import AdapterRef, Row
from studio.preset.style_parts import left_out, text_stands_in
from studio.preset.styles import Style, takers, with_style
from studio.share.model_names import Shelf
from studio.share.tools.additions import Additions, row_model
from studio.share.tools.prompts import Lora, tidy, without_tags

Models = Collection[str] | Mapping[str, ModelEntry]


def styled(preset: Preset, style: Style, models: Models = ()) -> tuple[Preset, list[str]]:
    """:func:`studio.preset.styles.with_style`, and what the tags in the style's texts name.

    A tag of the style's prompt goes onto the rows that take the prompt, and onto the others that run
    on the same model, as the web UI's goes onto its whole sum. Where no row had an adapter before,
    ω becomes 1, so that the base term runs on it as well. A tag in a row of the style's own goes onto
    that row. What of it lies over the preset already is not added again. In a negative prompt a tag has
    no effect there, and none here.

    Args:
        models: the library.

    Returns:
        The preset, and a note on everything that was left out or changed besides.

    Raises:
        BadPreset: as :func:`studio.preset.styles.with_style`.
    """
    notes: list[str] = []
    field = f"style {style.name[:80]!r}"
    bare, loras = plain_of(style, field, notes)
    brought = brought_by(bare, preset, models, field, notes)
    texts = replace(bare, rows=())
    there = _lies_in(preset.rows, texts, brought)
    found = with_style(preset, texts, there)
    rows = list(found.rows)
    for index in taking(rows, brought) if loras else ():
        rows[index] = _with(rows[index], loras, preset, models, field, notes)
    own = tuple(rows)
    rows += [row for row in brought if row not in own]
    changed: dict[str, Any] = {"rows": [row.model_dump(mode="json") for row in rows]}
    if found.omega != 1 and not _adapts(found.rows, models) and _adapts(own, models):
        notes.append(f"omega: {found.omega:g} became 1, so that the base term has the LoRA as well")
        changed["omega"] = 1.0
    notes += [left_out(preset, texts), style.said_unread()]
    whole = validate({**found.model_dump(mode="json"), **changed})
    name = repr(style.name[:80])
    had = {_stays(field, one["lora"]) for row in own for one in parts_of(row, Shelf(models))[1]}
    if whole == preset and had.issuperset(filter(None, notes)):
        notes = [f"style {name}: is in the rows already, and is not added again", *notes]
    elif there and found.rows[: len(preset.rows)] == preset.rows:
        notes = [f"style {name}: its text is in the rows already, and is not added again", *notes]
    return whole, [note for note in dict.fromkeys(notes) if note]


def _stays(field: str, lora: str) -> str:
    return f"{field}: the row has {lora!r} already, which stays as it is"


def _lies_in(rows: Sequence[Row], style: Style, brought: Sequence[Row]) -> list[int]:
    """The rows that keep their prompts: they have the style's text, or are rows that it brought, whose
    prompts are their own."""
    others = [row for row in rows if row not in brought]
    own = brought if takers(others) else ()
    takes = {1: style.prompt, -1: style.negative}
    found = []
    for index, row in enumerate(rows):
        text = takes[1 if row.weight > 0 else -1]
        if text and (row in own or text_stands_in(row.prompt, text)):
            found.append(index)
    return found


def plain_of(style: Style, field: str, notes: list[str]) -> tuple[Style, list[Lora]]:
    """The style with plain texts, and the LoRAs of its prompt."""
    prompt, loras = without_tags(style.prompt, field, notes)
    negative, unused = without_tags(style.negative, field, notes)
    for lora in unused:
        notes.append(f"{field}: {lora} has no effect in a negative prompt; it is left out")
    plain = {
        side: tidy(text)
        for side, text in (("prompt", prompt), ("negative", negative))
        if text != getattr(style, side)
    }
    return replace(style, **plain), loras


def brought_by(
    bare: Style, preset: Preset, models: Models, field: str, notes: list[str]
) -> list[Row]:
    """The rows of a style as they are added, with what the tags in their prompts name."""
    return [_untagged(row, preset, models, field, notes) for row in bare.rows]


def _untagged(row: Row, preset: Preset, models: Models, field: str, notes: list[str]) -> Row:
    """A style's own row with what the tags in its prompt name."""
    text, tagged = without_tags(row.prompt, field, notes)
    if text == row.prompt:
        return row
    plain = row.model_copy(update={"prompt": tidy(text)})
    return _with(plain, tagged, preset, models, field, notes)


def taking(rows: list[Row], brought: list[Row]) -> list[int]:
    """The rows of the model on which a style's prompt acts, without those that the style brought."""
    others = [row for row in rows if row not in brought]
    models = [others[index].model for index in takers(others)]
    return [i for i, row in enumerate(rows) if row.model in models and row not in brought]


def _with(
    row: Row, loras: list[Lora], preset: Preset, models: Models, field: str, notes: list[str]
) -> Row:
    """The row with these LoRAs behind the ones that it has; those it has already stay as they are."""
    shelf = Shelf(models, notes=notes)
    base, had, words = parts_of(row, shelf)
    entry = shelf.entries.get(base or "")
    if entry is not None and entry.kind == "concept":
        named = ", ".join(map(str, loras))
        notes.append(f"{field}: {base!r} is a concept network, which takes no {named}")
        return row
    found = Additions(shelf, base or preset.base, notes, "the style").loras(loras, field)
    names = {one["lora"] for one in had}
    for one in found:
        if one["lora"] in names:
            notes.append(_stays(field, one["lora"]))
    given = [*had, *(one for one in found if one["lora"] not in names)]
    kept = given[: 1 + most(ModelRef, "loras")]
    if len(kept) < len(given):
        notes.append(f"{field}: only the first {len(kept)} of {len(given)} LoRAs are kept")
    if len(kept) == len(had):
        return row
    return with_parts(row, base, kept, words)


def with_parts(row: Row, base: str | None, loras: list[dict[str, Any]], words: list[str]) -> Row:
    """The row on these: as :func:`parts_of` gives them."""
    model = {**(row_model(loras, words) or {}), **({"model": base} if base else {})} or None
    return validate({"rows": [{**row.model_dump(mode="json"), "model": model}]}).rows[0]


def parts_of(row: Row, shelf: Shelf) -> tuple[str | None, list[dict[str, Any]], list[str]]:
    """What a row runs on: its own base, its adapters as data, its embeddings."""
    if isinstance(row.model, ModelRef):
        return row.model.model, _listed(row.model), list(row.model.embeddings)
    kind = entry.kind if row.model and (entry := shelf.entries.get(row.model)) else ""
    if row.model and kind in ADAPTERS:
        return None, [AdapterRef(lora=row.model).model_dump(mode="json")], []
    if row.model and kind == "embedding":
        return None, [], [row.model]
    return row.model, [], []


def _listed(ref: ModelRef) -> list[dict[str, Any]]:
    first = (
        [AdapterRef(lora=ref.lora, strength=ref.strength, text_strength=ref.text_strength)]
        if ref.lora
        else []
    )
    return [one.model_dump(mode="json") for one in (*first, *ref.loras)]


def _adapts(rows: Iterable[Row], models: Models) -> bool:
    shelf = Shelf(models)
    return any(parts_of(row, shelf)[1] for row in rows)
