"""A picture explained: what each row pulled towards, its share over time, the drift, and without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from studio.errors import StudioError
from studio.events import Done, Drift, RowShare
from studio.experiments.grid import draw_labelled, shrunk
from studio.preset import ModelRef, Preset, Row

EDGE = 128  # of a strip's pictures at least, so that their labels can be read
BASE, WHOLE = "the base term, without a prompt", "all rows together"
FIRST_PASS = "the first pass alone, of two"
Norms = tuple[float | None, ...]


def report(done: Done) -> dict[str, Any]:
    """What was measured, step by step, as JSON.

    ``rows``: of each row that took part its ``norm`` and ``cosine`` as in
    :class:`studio.events.RowShare`, and its ``share``, its part of the sum of all rows' norms;
    ``drift`` as in :class:`studio.events.Drift`; ``None`` where nothing was measured. ``moments``:
    the evaluations, from 1, that the strips show; where ``second_pass`` is true or there are several
    ``rounds``, ``moments`` and ``steps`` are of the first, and what was measured goes along all.
    """
    told = done.explanation
    shares = {share.row: share for share in done.shares}
    numbers = sorted({*shares, *(told.rows if told else ())})
    parts = parts_over_time(done.shares)
    return {
        "seed": done.seed,
        "forwards": done.forwards,
        "steps": told.steps if told else done.preset.sampler.steps,
        "moments": list(told.moments) if told else [],
        "rounds": done.preset.init.loops if done.preset.init else 1,
        "second_pass": done.preset.second_pass.on,
        "rows": [
            {
                "row": number,
                "title": title_of(done.preset.rows[number]),
                "weight": done.preset.rows[number].weight,
                **_measured(shares.get(number), parts.get(number, ())),
            }
            for number in numbers
        ],
        "drift": [{"weights": one.weights, "norm": _rounded(one.norm)} for one in drifting(done)],
    }


def _measured(share: RowShare | None, parts: Sequence[float | None]) -> dict[str, Any]:
    norm, cosine = (share.norm, share.cosine) if share else ((), ())
    return {"norm": _rounded(norm), "cosine": _rounded(cosine), "share": _rounded(parts)}


def drifting(done: Done) -> list[Drift]:
    """The drifts in which something was measured."""
    return [one for one in done.drift if any(norm is not None for norm in one.norm)]


def parts_over_time(shares: Sequence[RowShare]) -> dict[int, Norms]:
    """Each row's part of the sum of all rows' norms, step by step, in [0, 1].

    ``None`` where a row took no part, and for all rows where one that did was not measured.
    """
    norms = [share.norm for share in shares]
    missing = frozenset[int]().union(*(share.missing for share in shares))
    totals = [
        0.0 if step in missing else sum(norm or 0.0 for norm in found)
        for step, found in enumerate(zip(*norms, strict=True))
    ]
    return {
        share.row: tuple(
            None if norm is None or not total else norm / total
            for norm, total in zip(share.norm, totals, strict=True)
        )
        for share in shares
    }


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.6g}") for value in values]


def title_of(row: Row) -> str:
    """What a row is called: its prompt, else its model."""
    model = row.model
    if isinstance(model, ModelRef):
        model = model.lora or model.model
    return " ".join(row.prompt.split()) or model or "no prompt"


def sheet(done: Done) -> Image.Image:
    """The strips as one labelled picture: a line for each row, the base term above, the sum below.
    Of a picture of two passes they are the first's, which stands above them.

    Raises:
        StudioError: the picture was made without an explanation.
    """
    told = done.explanation
    if told is None:
        raise StudioError("was not asked for when the picture was made", field="explain")
    rows = done.preset.rows
    strips: Mapping[Sequence[str], Sequence[Image.Image | None]] = {
        (BASE, "base"): told.base,
        **{_label(number, rows[number]): strip for number, strip in told.rows.items()},
        (WHOLE, "all"): (*told.whole, done.image),
    }
    total = len(strips) * (len(told.moments) + 1)
    images = {
        (column, line): shrunk(_large(picture, done.image.size), total)
        for line, strip in enumerate(strips.values())
        for column, picture in enumerate(strip)
        if picture is not None
    }
    steps = [
        (f"step {moment} of {told.steps}", f"{moment}/{told.steps}") for moment in told.moments
    ]
    loops = done.preset.init.loops if done.preset.init else 1
    above = FIRST_PASS if done.preset.second_pass.on else ""
    if loops > 1:
        above = f"the first round alone, of {loops}"
    return draw_labelled(images, [*steps, ("finished",)], [tuple(one) for one in strips], above)


def _label(number: int, row: Row) -> tuple[str, ...]:
    title, short = title_of(row), f"row {number + 1} ({row.weight:g})"
    return f"{short}: {title}", f"{short}: {title[:24]}…", short


def _large(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture at the finished one's shape, at least :data:`EDGE` high and wide."""
    scale = max(1.0, EDGE / min(size))
    return picture.resize((round(size[0] * scale), round(size[1] * scale)))


def without(preset: Preset, row: int) -> Preset:
    """The same picture without one of the rows that take part in it; every other stays as it was.

    Raises:
        StudioError: that row takes no part.
    """
    active = {index for index, _ in preset.active_rows()}
    if row not in active:
        raise StudioError("takes no part in this picture", field=f"rows.{row}")
    rows = tuple(
        one.model_copy(update={"enabled": index in active - {row}, "solo": False})
        for index, one in enumerate(preset.rows)
    )
    name = f"{preset.name or 'Untitled'} without row {row + 1}"[:200]
    return preset.model_copy(update={"rows": rows, "name": name})
