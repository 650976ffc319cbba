"""How a picture was made: what its details show of its preset, and A1111's text of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from studio.errors import StudioError
from studio.history import Record
from studio.preset import Preset, parse
from studio.preset.finders import FINDERS
from studio.preset.preprocessors import PREPROCESSORS
from studio.preset.scale import scale_of
from studio.preset.schedulers import SCHEDULERS
from studio.preset.second_pass import SecondPass
from studio.share.texts import peeked
from studio.share.write import PNG_KEY
from studio.share.written import infotext_of
from studio.ui.errors import on_page
from studio.ui.presets.copies import as_a1111, for_a1111

NOT_HERE = "not in the library"  # in notes on another tool's picture


def facts(record: Record, file: Path) -> dict[str, Any]:
    """Scheduler, weights of the rows that took part and the CFG scale that they are, Clip skip and an
    autoencoder where the preset has its own, a variation's seed with how far it is, what is
    read from control images with its strength, that of a start picture, the model that finished it with
    where it took over, how much larger a second pass made it with its strength and what is its own and,
    with a LoRA, ω; nothing where neither the picture's file nor the database holds a preset that can be read."""
    preset = _preset(record, file)
    if preset is None:
        return {}
    scheduler = _title(preset.sampler.scheduler)
    weights = ", ".join(f"{row.weight:g}".replace("-", "−") for _, row in preset.active_rows())
    scale = scale_of(preset)
    sums = {"cfg": scale} if scale is not None else {}
    sums |= {"clip_skip": preset.clip_skip} if preset.clip_skip is not None else {}
    sums |= {"vae": preset.vae} if preset.vae else {}
    sampler = preset.sampler
    varied = sampler.variation_strength
    variation = {"variation": f"{sampler.variation_seed} ({varied:g})"} if varied else {}
    seen = [one for _, row in preset.active_rows() for one in row.all_controls.values()]
    named = (f"{PREPROCESSORS[one.type].title} ({one.strength:g})" for one in seen)
    controls = {"controls": ", ".join(dict.fromkeys(named))} if seen else {}
    start = {"start": preset.init.strength} if preset.init else {}
    loops = preset.init.loops if preset.init else 1
    rounds = {"rounds": loops} if loops > 1 else {}
    twice = preset.second_pass
    second = {"second_pass": _second_pass(twice)} if twice.on else {}
    other = preset.refiner
    finished = {"refiner": f"{other.model} ({other.at:g})"} if other.on else {}
    again = preset.detail
    found = ", ".join(again.phrases()) if FINDERS[again.finder].reads_words else again.finder
    detail = {"detail": f"{found} ({again.strength:g})"} if again.on else {}
    omega = {"omega": preset.omega} if record.lora else {}
    return {
        "scheduler": scheduler,
        "weights": weights,
        **sums,
        **variation,
        **controls,
        **start,
        **rounds,
        **finished,
        **second,
        **detail,
        **omega,
    }


def _preset(record: Record, file: Path) -> Preset | None:
    """As a PNG of the studio holds it, else the database's, which is without pictures and what is said of
    them. No picture is taken in for it."""
    with suppress(StudioError):
        if found := peeked(file, PNG_KEY):
            return parse(found[0], source=record.title)
    with suppress(StudioError):
        return parse(record.preset, source=record.title) if record.preset else None
    return None


def _second_pass(twice: SecondPass) -> str:
    own = [twice.model, _title(twice.scheduler) if twice.scheduler else ""]
    return ", ".join(filter(None, [f"× {twice.scale:g} ({twice.strength:g})", *own]))


def titles(schedulers: Iterable[str]) -> dict[str, str]:
    """What the page calls each."""
    return {name: _title(name) for name in schedulers}


def _title(scheduler: str) -> str:
    return SCHEDULERS[scheduler].title if scheduler in SCHEDULERS else scheduler


def a1111(
    record: Record, file: Path, brought: Callable[[], tuple[Preset, list[str]]]
) -> dict[str, Any]:
    """A1111's text of a picture for the clipboard, and what that cannot say; the very text that its
    file holds, where the tool that made it wrote one. A base that is not here has the name that its
    tool gave it.

    Args:
        brought: what makes it again with notes on what could not be carried over, where it is asked for.
    """
    with suppress(StudioError):  # the file may be gone, and the preset kept
        if text := infotext_of(file):
            return {"code": as_a1111(text), "left_out": ""}
    preset, notes = brought()
    if preset.base not in record.models:  # another tool's; it may have named none
        preset = preset.model_copy(update={"base": PurePath(record.base).name})
        notes = [note for note in notes if not note.startswith("base: ")]
    code, left = for_a1111(preset, (record.width, record.height))
    absent = [note for note in notes if NOT_HERE in note]
    return {"code": code, "left_out": " · ".join(map(on_page, [*absent, *left]))}
