"""Another model that finishes the picture, as other tools' refiner does: rows of it take over at a part of
the denoising."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from studio.errors import BadPreset
from studio.library import ADAPTERS, ModelEntry
from studio.plan.curves import factor
from studio.plan.row_models import check_base, look_up, resolve
from studio.preset import Curve, ModelRef, Preset, Row, validate
from studio.preset.rows import taking_part

MODEL, AT = "model", "at"  # what is named in a refusal
POINTS = 33  # in place of a named curve: between them a cosine is met to a thousandth
STAYS = (
    "{} from there on not with one weight everywhere: what is left of the base's unconditional "
    "prediction stays the base's"
)


class HandedOver(NamedTuple):
    """The preset, and what of it stays with its base."""

    preset: Preset
    notes: list[str]


def handed_over(
    preset: Preset, model: str, at: float, catalogue: Mapping[str, ModelEntry]
) -> HandedOver:
    """The preset whose base is followed by another model.

    Each row of the base ends at ``at``, and a row like it under the other model begins there. What the
    weights leave of the base's unconditional prediction, ``1 − Σ w`` (GCFG, Eq. 3), becomes a row
    without a prompt under the other model too, so that nothing of the base is left.

    Args:
        model: id of a whole model. at: progress in (0, 1), from pure noise to the finished image.

    Raises:
        BadPreset: no such part, the base itself, or no row of the base is left to be followed.
        MissingModel: an unknown id.
        IncompatibleModels: the model cannot take these rows; names the row.
    """
    if not 0 < at < 1:
        raise BadPreset(f"above 0 and below 1, got {at:g}", field=AT)
    base = check_base(catalogue, preset.base, preset.vae)
    if look_up(catalogue, model, MODEL).kind not in ("base", "finetune"):
        raise BadPreset(f"a whole model, got {model!r}", field=MODEL)
    if model == base.id:
        raise BadPreset(f"another model than the base, got {model!r}", field=MODEL)
    before: list[Row] = []
    after: list[Row] = []
    for index, row in enumerate(preset.rows):
        follower = _under(row, model, base.id, catalogue)
        start, end = row.range
        if follower is None or end <= at:
            before.append(row)
            continue
        resolve(follower, base, catalogue, f"rows.{index}.model")
        curve = _points(row.curve, row.range)
        after.append(follower.model_copy(update={"curve": curve, "range": (max(start, at), end)}))
        if start < at:
            before.append(row.model_copy(update={"curve": curve, "range": (start, at)}))
    if not after:
        raise BadPreset(f"no row of the base {base.id!r} is left from {at:g} on", field=AT)
    last, notes = _unconditional([*before, *after], model, at)
    rows = [row.model_dump(mode="json") for row in (*before, *after, *last)]
    return HandedOver(validate({**preset.model_dump(mode="json"), "rows": rows}), notes)


def _under(row: Row, model: str, base: str, catalogue: Mapping[str, ModelEntry]) -> Row | None:
    """The row under the other model, with its adapters and learned words; ``None`` where it has a whole
    model of its own."""
    own = row.model
    if isinstance(own, ModelRef):
        if own.model not in (None, base):
            return None
        return row.model_copy(update={"model": own.model_copy(update={"model": model})})
    if own is None or own == base:
        return row.model_copy(update={"model": model})
    kind = look_up(catalogue, own, MODEL).kind
    if kind in ADAPTERS:
        return row.model_copy(update={"model": ModelRef(lora=own, model=model)})
    if kind == "embedding":
        return row.model_copy(update={"model": ModelRef(embeddings=(own,), model=model)})
    return None


def _points(curve: Curve, span: tuple[float, float]) -> Curve:
    """A curve that is the same in each part of its span."""
    if not isinstance(curve, str) or curve == "constant" or span[0] >= span[1]:
        return curve
    start, end = span
    steps = [start + (end - start) * place / (POINTS - 1) for place in range(POINTS)]
    return tuple((now, factor(curve, now, span)) for now in steps)


def _unconditional(rows: Sequence[Row], model: str, at: float) -> tuple[list[Row], list[str]]:
    """The row that takes the place of what the weights leave of the base's unconditional prediction from
    ``at`` on; none where nothing is left, or it is not one number, which is noted."""
    acting = [
        (index, row)
        for index, row in taking_part(rows)
        if row.range[1] > at and row.reference == "unconditional" and row.weight
    ]
    partial = [
        index
        for index, row in acting
        if row.mask or row.curve != "constant" or row.range[0] > at or row.range[1] < 1
    ]
    if len(partial) == 1:
        return [], [STAYS.format(f"row {partial[0] + 1} acts")]
    if partial:
        return [], [STAYS.format(f"rows {', '.join(str(index + 1) for index in partial)} act")]
    rest = round(1.0 - math.fsum(row.weight for _, row in acting), 10)
    return [Row(model=model, weight=rest, range=(at, 1.0))] if rest else [], []


class HandedBack(NamedTuple):
    """A preset before another model took over, that model, and where it does."""

    preset: Preset
    model: str
    at: float


def handed_back(preset: Preset) -> HandedBack | None:
    """What :func:`handed_over` made ``preset`` of; ``None`` where its rows are not of that form."""
    rows = preset.rows
    model, at = (_whole(rows[-1].model), rows[-1].range[0]) if rows else ("", 0.0)
    ended = [
        index
        for index, row in enumerate(rows)
        if row.range[1] == at and _whole(row.model) in ("", preset.base)
    ]
    if not model or not ended:
        return None
    for count in (
        len(rows) - len(ended),
        len(rows) - len(ended) - 1,
    ):  # without the last row, with it
        firsts, followers = list(rows[:count]), rows[count : count + len(ended)]
        if count <= ended[-1] or not all(map(_follows, followers, [rows[one] for one in ended])):
            continue
        for index, follower in zip(ended, followers, strict=True):
            span = (firsts[index].range[0], follower.range[1])
            firsts[index] = firsts[index].model_copy(update={"range": span})
        if list(rows[count + len(ended) :]) == _unconditional(firsts, model, at)[0]:
            before = preset.model_copy(update={"rows": tuple(firsts)})
            return HandedBack(before, model, at)
    return None


def _whole(model: str | ModelRef | None) -> str:
    """The whole model that a row names; an adapter's id alone passes for one."""
    return (model.model if isinstance(model, ModelRef) else model) or ""


def _follows(follower: Row, first: Row) -> bool:
    """Whether a row goes on where another ends, under another model."""
    model: str | ModelRef | None = _whole(follower.model)
    if isinstance(first.model, ModelRef):
        model = first.model.model_copy(update={"model": model})
    end = follower.range[1]
    expected = first.model_copy(update={"model": model, "range": (first.range[1], end)})
    return follower == expected
