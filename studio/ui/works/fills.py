"""What a press fills the form with, to be looked at before the next run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from studio import images
from studio.errors import BadPreset, StudioError
from studio.library import Library
from studio.plan.row_models import check_base, look_up
from studio.preset import Detail, Preset
from studio.preset.derived import left_by_start, started_from
from studio.preset.fields import with_fields
from studio.preset.second_pass import SecondPass
from studio.preset.start import Init
from studio.preset.unfinished import without_mark
from studio.share import read_any
from studio.ui.editor.stack import uploaded
from studio.ui.space import Limits
from studio.ui.works.asked import number
from studio.ui.works.canvas import extended, rounded
from studio.ui.works.works import unsaid_loss


class Filled(NamedTuple):
    """What the form is to hold, what is said of it, and whether it is another preset than before."""

    preset: Preset
    said: list[str]
    loaded: bool


def filled_with(
    asked: Mapping[str, Any], library: Library, form: Callable[[], Preset], limits: Limits
) -> Filled:
    """What ``do`` makes: ``extend``, the form with room around a picture; ``begin``, a picture's own
    preset that starts from it; ``finish``, the form whose picture another model finishes.

    Args:
        form: what the page's form holds.

    Raises:
        StudioError: what is asked for cannot be made, or is over what this page makes.
    """
    do = str(asked.get("do"))
    if do not in FILLS:
        raise StudioError(f"{', '.join(FILLS)}, got {do[:40]!r}", field="do")
    found = FILLS[do](asked, library, form)
    limits.check(found.preset)
    return found


def _extend(asked: Mapping[str, Any], library: Library, form: Callable[[], Preset]) -> Filled:
    before = form()
    lost = [line for line in [unsaid_loss(asked, before)] if line]
    return Filled(with_room(asked, library, before), lost, False)


def _begin(asked: Mapping[str, Any], library: Library, _form: Callable[[], Preset]) -> Filled:
    path = uploaded(asked.get("picture"), "picture")
    image = images.open_checked(path, path.name)
    made, said = read_any(path, library)
    multiple = check_base(library.catalogue(), made.base, made.vae).multiple
    preset = started_from(without_mark(made), images.store(image), image.size, multiple)
    return Filled(preset, [*said, *left_by_start(made)], True)


def _finish(asked: Mapping[str, Any], library: Library, form: Callable[[], Preset]) -> Filled:
    before, at = form(), float(number(asked, "at", "refiner.at"))
    model = look_up(library.catalogue(), str(asked.get("model")), "refiner.model").id
    if model == before.base:
        raise BadPreset(f"another model than the base, got {model!r}", field="refiner.model")
    changes = [("refiner.model", model), ("refiner.at", at)]
    return Filled(with_fields(before, changes), [], False)


def with_room(asked: Mapping[str, Any], library: Library, form: Preset) -> Preset:
    """The form with a picture to start from that has room around it, and all of the room to be
    painted; the rows stay.

    Raises:
        StudioError: no picture, sides that cannot be, or a base that is not here.
    """
    path = uploaded(asked.get("picture"), "picture")
    image = images.open_checked(path, path.name)
    multiple = check_base(library.catalogue(), form.base, form.vae).multiple
    sides = tuple(int(number(asked, name)) for name in ("left", "top", "right", "bottom"))
    whole, mask = extended(image, rounded(image.size, sides, multiple))  # type: ignore[arg-type]
    init = Init(
        image=images.store(images.png_bytes(whole)),
        mask=images.store(images.png_bytes(mask), mask=True),
        strength=1.0,
    )
    sampler = form.sampler.model_copy(update={"width": whole.width, "height": whole.height})
    once = {"init": init, "sampler": sampler, "second_pass": SecondPass(), "detail": Detail()}
    return form.model_copy(update=once)


FILLS: dict[str, Callable[[Mapping[str, Any], Library, Callable[[], Preset]], Filled]] = {
    "extend": _extend,
    "begin": _begin,
    "finish": _finish,
}
