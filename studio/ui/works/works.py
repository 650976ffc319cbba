"""What a person asks to have made of a picture, as presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from studio import images
from studio.errors import NoPreset, StudioError, shorten
from studio.history import History
from studio.library import Library
from studio.plan.row_models import check_base
from studio.plan.size import picture_size
from studio.preset import Preset
from studio.preset.derived import MOST_EACH, between, from_each, larger, left_by_each, varied
from studio.preset.second_pass import SecondPass
from studio.preset.start import Init
from studio.preset.unfinished import without_mark
from studio.share import read_any
from studio.ui.editor.stack import uploaded
from studio.ui.history import view
from studio.ui.picture_notes import of_many, refuse_masks
from studio.ui.widgets import Drawn
from studio.ui.works.canvas import extended, rounded

OF_FORM = "What carries no preset is made larger with the rows of the form."
MOST_TOLD = 6  # reasons: more than these nobody reads


class Labelled(NamedTuple):
    """A run's preset, what sets it apart from the others, and the picture that it is made of: its id
    in the history, "" for one that is not there."""

    preset: Preset
    label: str = ""
    parent: str = ""


class Works(Drawn):
    """Shows nothing. ``submit`` has pictures made, ``select`` fills the form, both as ``do`` says;
    ``depict`` gives a model its picture."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountWorks(trigger, upload); studio.mountModelPictures(trigger, upload);"
            " /* 'submit' 'select' 'depict' */"
        )
        super().__init__({}, mount, elem_id="gs-works", elem_classes=["gs-signal"], **kwargs)


def number(asked: Mapping[str, Any], name: str) -> float:
    """A number that the page sent.

    Raises:
        StudioError: it is none.
    """
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudioError(f"expected a number, got {shorten(value)}", field=name)
    return value


def _vary(
    asked: Mapping[str, Any], library: Library, _: Preset, history: History
) -> list[Labelled]:
    path = uploaded(asked.get("picture"), "picture")
    preset, _notes = read_any(path, library)
    made = varied(preset, int(number(asked, "count")), number(asked, "strength"))
    return [Labelled(made, parent=history.same_as(path))]


def of_form(asked: Mapping[str, Any], library: Library) -> bool:
    """Whether the form is what is made: for each of many pictures, and for a larger one of a file that
    carries no preset.

    Raises:
        StudioError: a picture that is none.
    """
    if asked.get("do") != "larger" or "ids" in asked:
        return asked.get("do") == "each"
    sent = [one.get("picture") for one in _given(asked)] if "images" in asked else []
    files = [uploaded(one, "picture") for one in sent or [asked.get("picture")]]
    return not all(_carries(file, library) for file in files)


def _carries(path: Path, library: Library) -> bool:
    """Whether a file carries a preset; one that is damaged says so where it is read."""
    try:
        read_any(path, library)
    except NoPreset:
        return False
    except StudioError:
        return True
    return True


def _larger(
    asked: Mapping[str, Any], library: Library, form: Preset, history: History
) -> list[Labelled]:
    path = uploaded(asked.get("picture"), "picture")
    own = form if of_form(asked, library) else read_any(path, library)[0]
    return [Labelled(_larger_of(asked, library, path, own), parent=history.same_as(path))]


def _larger_of(asked: Mapping[str, Any], library: Library, path: Path, preset: Preset) -> Preset:
    size = images.size_checked(path, path.name)
    multiple = check_base(library.catalogue(), preset.base, preset.vae).multiple
    factor, strength = number(asked, "factor"), number(asked, "strength")
    if not 1 < factor <= 8:
        raise StudioError(f"over 1 and at most 8 times as large, got {factor:g}", field="factor")
    return larger(
        preset,
        images.store(path),
        size,
        factor,
        strength,
        multiple,
        enlarge=str(asked.get("enlarge", "pixels")),
        tiles=asked.get("tiles") is True,
        upscaler=str(asked.get("upscaler", "")),
    )


def larger_of_each(
    asked: Mapping[str, Any],
    library: Library,
    form: Preset,
    history: History,
    check: Callable[[Preset], None],
) -> tuple[list[Labelled], list[str]]:
    """Pictures of the history by ``ids``, or uploaded ``images``, each made larger with its own preset,
    a file without one with the form's; and those that cannot be, with why.

    Args:
        check: refuses a preset that this page does not make.

    Raises:
        StudioError: none or too many are named, or a factor that is none.
    """
    sources = _sources(asked, history)
    if not 1 <= len(sources) <= MOST_EACH:
        raise StudioError(f"1 to {MOST_EACH} pictures, got {len(sources)}", field="larger")
    made, left_out = [], []
    for title, find in sources:
        try:
            name, file, parent = find()
            own = form if "images" in asked and not _carries(file, library) else None
            again = _larger_of(asked, library, file, own or read_any(file, library)[0])
            check(again)
            made.append(Labelled(without_mark(again), name, parent))
        except StudioError as error:
            left_out.append(f"{title}: {error}")
    return made, left_out


Source = tuple[
    str, Callable[[], tuple[str, Path, str]]
]  # what it is called; title, file and parent


def _sources(asked: Mapping[str, Any], history: History) -> list[Source]:
    """The pictures that are named, each once; what is wrong with one is found by itself."""

    def uploads(one: Mapping[str, Any]) -> tuple[str, Path, str]:
        path = uploaded(one.get("picture"), "picture")
        return str(one.get("name"))[:80], path, history.same_as(path)

    def of_history(identity: str) -> tuple[str, Path, str]:
        record = history.get(identity)
        return record.title, history.file(record), identity

    if "images" in asked:
        return [(str(one.get("name"))[:80], partial(uploads, one)) for one in _given(asked)]
    ids = dict.fromkeys(str(one) for one in asked.get("ids") or ())
    return [(_title(history, one), partial(of_history, one)) for one in ids]


def _title(history: History, identity: str) -> str:
    with suppress(StudioError):
        return history.get(identity).title
    return identity


def said_left_out(lines: Sequence[str]) -> str:
    """One line on the pictures that are left out, each with why; "" for none."""
    more = len(lines) - MOST_TOLD
    rest = [f"and {more} more"] if more > 0 else []
    return f"Left out: {' · '.join([*lines[:MOST_TOLD], *rest])}" if lines else ""


def _between(asked: Mapping[str, Any], _: Library, __: Preset, history: History) -> list[Labelled]:
    ids = [str(one) for one in asked.get("ids") or ()]
    if len(ids) != 2:
        raise StudioError(f"2 pictures, got {len(ids)}", field="between")
    ends = [view.preset_of(history, one) for one in ids]
    presets = between(ends[0], ends[1], int(number(asked, "count")))
    return [
        Labelled(one, f"{one.sampler.variation_strength:.0%} of the way", ids[0]) for one in presets
    ]


def _each(
    asked: Mapping[str, Any], library: Library, form: Preset, history: History
) -> list[Labelled]:
    given = _given(asked)
    made = from_each(form, str(asked.get("field")), [str(one.get("image")) for one in given])
    base = check_base(library.catalogue(), form.base, form.vae)
    refuse_masks(form, picture_size(form, base))  # at once: each picture would be refused by itself
    names = [str(one.get("name"))[:80] for one in given]
    files = [one.get("picture") for one in given]
    parents = [history.same_as(uploaded(file, "picture")) if file else "" for file in files]
    return [Labelled(*one) for one in zip(made, names, parents, strict=True)]


def _given(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The pictures that come in turn, as the page names them."""
    return [one for one in asked.get("images") or () if isinstance(one, dict)]


def cut_of_each(asked: Mapping[str, Any], library: Library, form: Preset) -> str:
    """One line on the pictures that come in turn and are of another aspect; "" for none."""
    if asked.get("do") != "each":
        return ""
    size = picture_size(form, check_base(library.catalogue(), form.base, form.vae))
    return of_many(str(asked.get("field")), [str(one.get("image")) for one in _given(asked)], size)


def unsaid_loss(asked: Mapping[str, Any], form: Preset) -> str:
    """One line on what of the form is not in what is asked for; "" for nothing."""
    if asked.get("do") == "extend" and form.second_pass.on:
        return "second_pass.scale: is left out, as it would paint what the mask keeps"
    return left_by_each(form, str(asked.get("field"))) if asked.get("do") == "each" else ""


def said_of_form(asked: Mapping[str, Any], taken: bool) -> str:
    """One line where the form's rows are ``taken`` for a picture that has none; "" where no step of
    them runs."""
    larger = asked.get("do") == "larger" and taken and asked.get("strength") != 0
    return OF_FORM if larger else ""


Made = Callable[[Mapping[str, Any], Library, Preset, History], list[Labelled]]
MADE: dict[str, Made] = {"vary": _vary, "larger": _larger, "between": _between, "each": _each}


def presets_of(
    asked: Mapping[str, Any], library: Library, form: Preset, history: History
) -> list[Labelled]:
    """The presets of the pictures that are asked for.

    Args:
        form: what the page's form holds.

    Raises:
        StudioError: what is asked for cannot be made; names the field.
    """
    do = str(asked.get("do"))
    if do not in MADE:
        raise StudioError(f"{', '.join(MADE)}, got {do[:40]!r}", field="do")
    found = MADE[do](asked, library, form, history)
    return [one._replace(preset=without_mark(one.preset)) for one in found]


def with_room(asked: Mapping[str, Any], library: Library, form: Preset) -> Preset:
    """The form with a picture to start from that has room around it, and all of the room to be
    painted; the rows stay.

    Raises:
        StudioError: no picture, sides that cannot be, or a base that is not here.
    """
    path = uploaded(asked.get("picture"), "picture")
    image = images.open_checked(path, path.name)
    multiple = check_base(library.catalogue(), form.base, form.vae).multiple
    given = tuple(int(number(asked, name)) for name in ("left", "top", "right", "bottom"))
    whole, mask = extended(image, rounded(image.size, given, multiple))  # type: ignore[arg-type]
    init = Init(
        image=images.store(images.png_bytes(whole)),
        mask=images.store(images.png_bytes(mask), mask=True),
        strength=1.0,
    )
    sampler = form.sampler.model_copy(update={"width": whole.width, "height": whole.height})
    once = {"init": init, "sampler": sampler, "second_pass": SecondPass()}
    return form.model_copy(update=once)
