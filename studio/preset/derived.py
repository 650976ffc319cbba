"""Presets made from that of a picture: its variations, the way to another seed, the same larger, its
parts again, and one preset over many pictures."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from studio.errors import BadPreset
from studio.preset.bounds import bounds
from studio.preset.detail import FEATHER, Detail
from studio.preset.document import Preset
from studio.preset.fields import with_fields
from studio.preset.refiner import Refiner
from studio.preset.sampler import MAX_SEED, Sampler
from studio.preset.scale import with_scale
from studio.preset.schedulers import AUTOMATIC, SCHEDULERS
from studio.preset.second_pass import SecondPass, of_second_pass
from studio.preset.start import Init

MOST_BETWEEN, MOST_EACH = 32, 1000
_PICTURE_OF_ROW = re.compile(r"(?:control\.|controls\.\d\.|image_prompt\.)?image")


def varied(preset: Preset, count: int, strength: float) -> Preset:
    """``count`` pictures whose noise is turned from the seed's towards other noise by ``strength``.

    Of a picture that is a variation itself, those of the same seed.

    Args:
        strength: over 0, at most 1.

    Raises:
        BadPreset: a count or strength that a preset does not take.
    """
    if not 0 < strength <= 1:
        raise BadPreset(
            f"expected over 0 and at most 1, got {strength:g}", field="sampler.variation_strength"
        )
    changes = {
        "count": count,
        "variation_seed": secrets.randbelow(2**31),
        "variation_strength": strength,
    }
    return with_fields(preset, [(f"sampler.{name}", value) for name, value in changes.items()])


def between(first: Preset, second: Preset, count: int) -> list[Preset]:
    """``count`` presets on the way from the first's noise to that of the second's seed, both ends
    included; all but the noise is the first's.

    Raises:
        BadPreset: one of them is a variation, both have one seed, or 2 to 32 it is not.
    """
    if not 2 <= count <= MOST_BETWEEN:
        raise BadPreset(f"2 to {MOST_BETWEEN} pictures, got {count}", field="count")
    seeds = first.sampler.seed, second.sampler.seed
    if any(one.sampler.variation_strength for one in (first, second)):
        raise BadPreset("a variation has no seed of its own", field="sampler.variation_strength")
    if seeds[0] == seeds[1] or min(seeds) < 0:
        raise BadPreset(f"two different seeds, got {seeds[0]} and {seeds[1]}", field="sampler.seed")
    ends: list[tuple[str, int | float]] = [
        ("sampler.count", 1),
        ("sampler.variation_seed", seeds[1]),
    ]
    shares = [round(place / (count - 1), 4) for place in range(count)]
    return [with_fields(first, [*ends, ("sampler.variation_strength", share)]) for share in shares]


def larger(
    preset: Preset,
    image: str,
    size: tuple[int, int],
    factor: float,
    strength: float,
    multiple: int,
    enlarge: str = "pixels",
    tiles: bool = False,
    steps: int | None = None,
    upscaler: str = "",
) -> Preset:
    """The rows once more over the picture itself, ``factor`` times as large: a second pass.

    Args:
        image: the reference of the picture. size: its width and height.
        strength: the part of the steps that runs; 0 only enlarges. multiple: of what the sides must be.
        enlarge: in ``pixels`` or ``latents``. tiles: in tiles of the base's own size.
        steps: of which the strength runs; the preset's own without it.
        upscaler: a model of the library that enlarges its pixels; "" for none.

    Raises:
        BadPreset: a size or strength that a preset does not take.
    """
    width, height = (max(multiple, round(side * factor / multiple) * multiple) for side in size)
    changes = {
        "sampler.count": 1,
        "sampler.steps": steps or preset.sampler.steps,
        "sampler.width": width,
        "sampler.height": height,
        "sampler.tiles": tiles,
        "init.strength": strength,
        "init.enlarge": enlarge,
        "init.upscaler": upscaler,
    }
    once = {"init": Init(image=image), "second_pass": SecondPass()}
    return with_fields(preset.model_copy(update=once), list(changes.items()))


def started_from(preset: Preset, image: str, size: tuple[int, int], multiple: int) -> Preset:
    """The preset of a picture once more, from the picture itself on and at its size; a start of its own
    gives way to it, all but its strength. Its second pass is done; tiles stay.

    Args:
        image: the reference of the picture. size: its width and height.
        multiple: of what the sides must be; what is over is left out.

    Raises:
        BadPreset: a size that a preset does not take.
    """
    width, height = (max(multiple, side // multiple * multiple) for side in size)
    own, init = preset.init, Init(image=image)
    if own and own.strength:
        init = init.model_copy(update={"strength": own.strength})
    once = {"init": init, "second_pass": SecondPass()}
    tiles = preset.sampler.tiles or (preset.second_pass.on and preset.second_pass.tiles)
    sampler = {"width": width, "height": height, "tiles": tiles}
    changes = [(f"sampler.{name}", value) for name, value in sampler.items()]
    return with_fields(preset.model_copy(update=once), changes)


def second_of(preset: Preset, image: str, size: tuple[int, int], multiple: int) -> Preset:
    """The preset that the second pass of another is.

    Args:
        image: the reference of what the first made. size: its width and height.
        multiple: of what the sides must be.

    Raises:
        BadPreset: a size that a preset does not take; names the field of ``second_pass``.
    """
    asked, (_, most) = preset.second_pass, bounds(Sampler, "width")
    if max(size) * asked.scale > most:
        raise BadPreset(
            f"{asked.scale:g} times {max(size)} is over {most:g} pixels, the most of a side",
            field="second_pass.scale",
        )
    with of_second_pass():
        return larger(
            _said_in_second(preset),
            image,
            size,
            asked.scale,
            asked.strength,
            multiple,
            asked.enlarge,
            asked.tiles,
            asked.steps,
            asked.upscaler,
        )


def _said_in_second(preset: Preset) -> Preset:
    """The preset with the prompts, the scale, the model and the scheduler of its second pass."""
    asked, rows = preset.second_pass, list(preset.rows)
    if not asked.paints:
        return preset
    for index, field in asked.asking(preset.rows).items():
        text = getattr(asked, field.rpartition(".")[2])
        rows[index] = rows[index].model_copy(update={"prompt": text})
    said = preset.model_copy(update={"rows": tuple(rows)})
    if asked.model:
        said = said.model_copy(update={"refiner": Refiner(model=asked.model, at=0.0)})
    if asked.scheduler is not None:
        said = said.model_copy(update={"sampler": _under(said.sampler, asked.scheduler)})
    return said if asked.cfg is None else with_scale(said, asked.cfg)


def _under(sampler: Sampler, scheduler: str) -> Sampler:
    """The same under another scheduler, of the rest what that takes."""
    kind = SCHEDULERS[scheduler]
    takes = sampler.schedule in {*kind.takes(False), *kind.takes(True)}
    return sampler.model_copy(
        update={
            "scheduler": scheduler,
            "schedule": sampler.schedule if takes else AUTOMATIC,
            "eta": None if kind.eta is None else sampler.eta,
        }
    )


def round_of(preset: Preset, number: int, image: str) -> Preset:
    """The preset of one round of a picture that goes through several times: the first begins as that
    says, each other with what the one before made, and with the next seed.

    Args:
        number: of the round, from 0. image: the reference of what the one before made.
    """
    assert preset.init is not None
    changes: dict[str, object] = {"loops": 1}
    if number:  # under the mask stays what was made there
        changes |= {"image": image, "under_mask": "picture"}
        if not preset.init.framed:  # it is as large as it is to be
            changes |= {"enlarge": "pixels", "upscaler": ""}
    init = preset.init.model_copy(update=changes)
    seed = (preset.sampler.seed + number) % (MAX_SEED + 1)
    return preset.model_copy(update={"init": init}).with_seed(seed)


def detail_of(preset: Preset, image: str, size: tuple[int, int]) -> Preset:
    """The preset that makes a part of the finished picture of another again.

    Args:
        image: the reference of the finished picture, and of the part's mask.
        size: width and height that a part is made at.

    Raises:
        BadPreset: there is a prompt for the part, and no row that it is for.
    """
    asked = preset.detail
    start = Init(
        image=image,
        mask=image,
        strength=asked.strength,
        area="mask",
        padding=asked.padding,
        feather=FEATHER,
    )
    once = {
        "init": start,
        "second_pass": SecondPass(),
        "detail": Detail(),
        "sampler": preset.sampler.model_copy(
            update={"count": 1, "tiles": False, "width": size[0], "height": size[1]}
        ),
    }
    rows = list(preset.rows)
    for index in asked.asking(preset.active_rows()):
        rows[index] = rows[index].model_copy(update={"prompt": asked.prompt})
    return preset.model_copy(update={**once, "rows": tuple(rows)})


def left_by_larger(preset: Preset) -> str:
    """What :func:`larger` leaves out of a preset that is another picture's, in one line; "" for nothing."""
    start = preset.init
    left = {
        "init.image": start is not None,
        "init.mask": start is not None and bool(start.mask),
        "second_pass.scale": preset.second_pass.on,
        "sampler.count": preset.sampler.count > 1,
    }
    names = [name for name, is_left in left.items() if is_left]
    return f"Of the form is left out: {', '.join(names)}" if names else ""


def left_by_start(preset: Preset) -> list[str]:
    """What :func:`started_from` leaves out of the preset of the picture, a line each."""
    own = preset.init
    left = {
        "init.image: the picture that it started from gives way to this one": own is not None,
        "init.mask: is of the picture that it started from, and is left out": own and own.mask,
        "init.loops: is left out; the picture has been through them": own and own.loops > 1,
        "second_pass.scale: is left out, since the picture has been enlarged": preset.second_pass.on,
    }
    return [line for line, is_left in left.items() if is_left]


def left_by_each(preset: Preset, field: str) -> str:
    """What :func:`from_each` leaves out of the preset, in one line; "" for nothing."""
    masked = field == "init.image" and preset.init is not None and preset.init.mask
    return "init.mask: is of another picture, and is left out" if masked else ""


def from_each(preset: Preset, field: str, images: Sequence[str]) -> list[Preset]:
    """The preset once for each picture, which stands at ``field``: ``init.image``, or a row's
    ``control.image``, ``controls.0.image``, ``image_prompt.image`` or ``image``. A mask of ``init`` goes:
    it was another picture's.

    Raises:
        BadPreset: no such field, or none or too many pictures.
    """
    if not 1 <= len(images) <= MOST_EACH:
        raise BadPreset(f"1 to {MOST_EACH} pictures, got {len(images)}", field=field)
    row, _, part = field.removeprefix("rows.").partition(".")
    known = _PICTURE_OF_ROW.fullmatch(part) and row.isdecimal()
    if field != "init.image" and not known:
        raise BadPreset("is no field that holds a picture", field=field)
    whole = [("init.mask", ""), ("init.area", "picture")]
    unmasked = whole if field == "init.image" else []
    return [with_fields(preset, [(field, image), *unmasked]) for image in images]
