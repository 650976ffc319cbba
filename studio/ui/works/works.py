"""What a person asks to have made of a picture, as presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from studio.errors import StudioError, first_of
from studio.history import History
from studio.library import Library
from studio.plan.row_models import check_base
from studio.plan.size import picture_size
from studio.preset import Preset
from studio.preset.derived import MOST_EACH, between, from_each, left_by_each, varied
from studio.preset.fields import with_fields
from studio.preset.unfinished import without_mark
from studio.share import read_any
from studio.share.tools.prompt_lines import Made, of_line
from studio.ui.editor.stack import uploaded
from studio.ui.history.reuse import brought, preset_of
from studio.ui.picture_notes import of_many, refuse_masks
from studio.ui.widgets import Drawn
from studio.ui.works.asked import Form, Labelled, given, number
from studio.ui.works.larger import one_larger, unsaid_of_each


class Works(Drawn):
    """Shows nothing. ``submit`` has pictures made, ``select`` fills the form, both as ``do`` says;
    ``depict`` gives a model its picture."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountWorks(trigger, upload); studio.mountModelPictures(trigger);"
            " /* 'submit' 'select' 'depict' */"
        )
        super().__init__({}, mount, elem_id="gs-works", elem_classes=["gs-signal"], **kwargs)


def _vary(asked: Mapping[str, Any], library: Library, _: Form, history: History) -> list[Labelled]:
    path = uploaded(asked.get("picture"), "picture")
    preset, _notes = read_any(path, library)
    made = varied(preset, int(number(asked, "count")), number(asked, "strength"))
    return [Labelled(made, parent=history.same_as(path))]


def said_left_out(lines: Sequence[str]) -> str:
    """One line on the pictures that are left out, each with why; "" for none."""
    return f"Left out: {first_of(lines)}" if lines else ""


def _between(asked: Mapping[str, Any], _: Library, __: Form, history: History) -> list[Labelled]:
    ids = [str(one) for one in asked.get("ids") or ()]
    if len(ids) != 2:
        raise StudioError(f"2 pictures, got {len(ids)}", field="between")
    ends = [preset_of(history, one) for one in ids]
    presets = between(ends[0], ends[1], int(number(asked, "count")))
    return [
        Labelled(one, f"{one.sampler.variation_strength:.0%} of the way", ids[0]) for one in presets
    ]


def _each(
    asked: Mapping[str, Any], library: Library, form: Form, history: History
) -> list[Labelled]:
    preset, pictures = form(), given(asked)
    made = from_each(preset, str(asked.get("field")), [str(one.get("image")) for one in pictures])
    if "strength" in asked and preset.init is None:  # which the form says where it has a start
        made = [with_fields(one, [("init.strength", number(asked, "strength"))]) for one in made]
    base = check_base(library.catalogue(), preset.base, preset.vae)
    # At once: each picture would be refused by itself.
    refuse_masks(preset, picture_size(preset, base))
    names = [str(one.get("name"))[:80] for one in pictures]
    files = [one.get("picture") for one in pictures]
    parents = [history.same_as(uploaded(file, "picture")) if file else "" for file in files]
    return [Labelled(*one) for one in zip(made, names, parents, strict=True)]


def cut_of_each(asked: Mapping[str, Any], library: Library, form: Preset) -> str:
    """One line on the pictures that come in turn and are of another aspect; "" for none."""
    if asked.get("do") != "each":
        return ""
    size = picture_size(form, check_base(library.catalogue(), form.base, form.vae))
    return of_many(str(asked.get("field")), [str(one.get("image")) for one in given(asked)], size)


def unsaid_loss(asked: Mapping[str, Any], form: Preset) -> str:
    """One line on what of the form is not in what is asked for; "" for nothing."""
    if asked.get("do") == "extend":
        on = {"second_pass.scale": form.second_pass.on, "detail.finder": form.detail.on}
        left = [
            f"{name}: is left out, as it would paint what the mask keeps" for name in on if on[name]
        ]
        return " · ".join(left)
    return left_by_each(form, str(asked.get("field"))) if asked.get("do") == "each" else ""


def left_of_lines(asked: Mapping[str, Any], form: Callable[[], Preset]) -> list[str]:
    """All that the lines of a text name and that is not in their pictures, each with its line."""
    if asked.get("do") != "lines":
        return []
    said = enumerate((made.notes for made in _made_of_lines(asked, form())), 1)
    return [f"line {at} · {note}" for at, notes in said for note in notes]


def left_of_pictures(asked: Mapping[str, Any], library: Library, history: History) -> list[str]:
    """What other tools' pictures were made with and is not in what is made of them."""
    match asked.get("do"):
        case "vary":
            with suppress(StudioError):  # it has gone since what is made of it began
                return read_any(uploaded(asked.get("picture"), "picture"), library)[1]
        case "between":
            ids = [str(one) for one in asked.get("ids") or ()]
            said: list[str] = []
            for one in ids:
                with suppress(StudioError):  # as above
                    said += brought(history, one)[1]
            return list(dict.fromkeys(said))
        case "larger":
            return unsaid_of_each(asked, library, history)
    return []


def _lines(asked: Mapping[str, Any], _: Library, form: Form, __: History) -> list[Labelled]:
    made = [one.preset for one in _made_of_lines(asked, form())]
    return [
        Labelled(one, next(row.prompt for row in one.rows if row.weight > 0)[:80]) for one in made
    ]


def _made_of_lines(asked: Mapping[str, Any], form: Preset) -> list[Made]:
    lines = [str(one).strip() for one in asked.get("lines") or ()]
    if not 1 <= len(lines) <= MOST_EACH:
        raise StudioError(f"1 to {MOST_EACH} lines, got {len(lines)}", field="lines")
    found = []
    for at, line in enumerate(lines, 1):
        try:
            found.append(of_line(form, line))
        except StudioError as error:
            raise StudioError(f"line {at}: {error}") from None
    return found


Making = Callable[[Mapping[str, Any], Library, Form, History], list[Labelled]]
MADE: dict[str, Making] = {
    "vary": _vary,
    "larger": one_larger,
    "between": _between,
    "each": _each,
    "lines": _lines,
}


def presets_of(
    asked: Mapping[str, Any], library: Library, form: Form, history: History
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
