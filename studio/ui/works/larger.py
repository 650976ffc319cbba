"""Pictures made larger: one, or each of many with its own preset."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from studio.errors import StudioError
from studio.history import History
from studio.history.enlarged import Check, Enlarging, carried, unsaid
from studio.library import Library
from studio.preset.derived import MOST_EACH, left_by_larger
from studio.preset.unfinished import without_mark
from studio.share import read_any
from studio.ui.editor.stack import uploaded
from studio.ui.works.asked import Form, Labelled, given, number

OF_FORM = "What carries no preset is made larger with the rows of the form."


class Found(NamedTuple):
    """The pictures that are made larger, and those that cannot be, with why."""

    made: list[Labelled]
    left_out: list[str]


def one_larger(
    asked: Mapping[str, Any], library: Library, form: Form, history: History
) -> list[Labelled]:
    """An uploaded picture made larger with its own preset, one without with the form's.

    Raises:
        StudioError: no picture, or a preset, factor or size that cannot be.
    """
    path = uploaded(asked.get("picture"), "picture")
    own = carried(path, library) or form()
    return [Labelled(_how(asked).of(path, own, library), parent=history.same_as(path))]


def larger_of_each(
    asked: Mapping[str, Any],
    library: Library,
    form: Form,
    history: History,
    check: Check,
    room: int | None = None,
) -> Generator[tuple[int, int], None, Found]:
    """Pictures of the history by ``ids``, or uploaded ``images``, each made larger with its own preset,
    a file without one with the form's; says how many of how many are read by now.

    Args:
        check: refuses a preset that this page does not make.
        room: how many more may wait; any number without it.

    Raises:
        StudioError: none or too many are named, or a factor that is none.
    """
    sources = _sources(asked, history)
    if not 1 <= len(sources) <= MOST_EACH:
        raise StudioError(f"1 to {MOST_EACH} pictures, got {len(sources)}", field="larger")
    check_room(len(sources), room)
    how = _how(asked)
    found = Found([], [])
    for place, (title, find) in enumerate(sources):
        yield place, len(sources)
        try:
            name, file, parent = find()
            own = carried(file, library) if "images" in asked else read_any(file, library)[0]
            again = how.of(file, own or form(), library, check)
            found.made.append(Labelled(without_mark(again), name, parent))
        except StudioError as error:
            found.left_out.append(f"{title}: {error}")
    return found


def unsaid_of_each(asked: Mapping[str, Any], library: Library, history: History) -> list[str]:
    """What of other tools' pictures is not in the larger ones that are asked for, each line once."""
    finds: list[Callable[[], Path]] = [lambda: uploaded(asked.get("picture"), "picture")]
    if "ids" in asked or "images" in asked:
        finds = [lambda find=find: find()[1] for _, find in _sources(asked, history)]
    files = []
    for find in finds:
        with suppress(StudioError):  # it has gone since what is made of it began, or is left out
            files.append(find())
    return list(dict.fromkeys(note for file in files for note in unsaid(file, library)))


def check_room(count: int, room: int | None) -> None:
    """Refuse more runs than may wait.

    Raises:
        StudioError: there are more.
    """
    if room is not None and count > room:
        raise StudioError(
            f"{count} runs are asked for, and {room} more may wait on this page", field="queue"
        )


def said_of_form(asked: Mapping[str, Any], form: Form) -> list[str]:
    """What is said where the form's rows are taken for a picture that has none: that they are, and what
    else of the form is not. Nothing where no step of them runs."""
    if asked.get("do") != "larger" or not form.taken or asked.get("strength") == 0:
        return []
    return [OF_FORM, *filter(None, [left_by_larger(form())])]


def _how(asked: Mapping[str, Any]) -> Enlarging:
    return Enlarging(
        factor=number(asked, "factor"),
        strength=number(asked, "strength"),
        enlarge=str(asked.get("enlarge", "pixels")),
        tiles=asked.get("tiles") is True,
        upscaler=str(asked.get("upscaler", "")),
    )


# What it is called; its title, file and parent.
Source = tuple[str, Callable[[], tuple[str, Path, str]]]


def _sources(asked: Mapping[str, Any], history: History) -> list[Source]:
    """The pictures that are named, each once; what is wrong with one is found by itself."""

    def uploads(one: Mapping[str, Any]) -> tuple[str, Path, str]:
        path = uploaded(one.get("picture"), "picture")
        return str(one.get("name"))[:80], path, history.same_as(path)

    def of_history(identity: str) -> tuple[str, Path, str]:
        record = history.get(identity)
        return record.title, history.file(record), identity

    if "images" in asked:
        return [(str(one.get("name"))[:80], partial(uploads, one)) for one in given(asked)]
    ids = dict.fromkeys(str(one) for one in asked.get("ids") or ())
    return [(_title(history, one), partial(of_history, one)) for one in ids]


def _title(history: History, identity: str) -> str:
    with suppress(StudioError):
        return history.get(identity).title
    return identity
