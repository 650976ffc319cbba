"""A result as the picture of a model that made it: which models those are, given, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.errors import StudioError, shorten
from studio.history.record import models_of
from studio.library.own_pictures import (
    drop_picture,
    give_picture,
    own_picture,
    take_picture_back,
)
from studio.share import read_any
from studio.ui.editor.stack import uploaded
from studio.ui.library import models, previews
from studio.ui.widgets import fresh


def depicted(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's scripts hear: ``choices`` for a ``picture`` alone; the ``pictures`` that the list
    shows, with what was ``given`` for a ``picture`` and an ``id``, with what was ``taken`` for an ``id``
    that is ``bare`` again. Both name a ``mark``, by which one and no later one is taken ``back``.

    Raises:
        StudioError: no picture that carries a preset, a model that is not in the library, or a folder
            that cannot be written to.
    """
    identity = str(asked.get("id") or "")
    if isinstance(mark := asked.get("back"), str):
        undone = take_picture_back(_known(identity), mark)
        return fresh({"pictures": previews.of([identity]), "late": not undone})
    if asked.get("bare") is True:
        return _changed("taken", identity, drop_picture(_known(identity)))
    path = uploaded(asked.get("picture"), "picture")
    if not identity:
        return fresh({"choices": _choices(path), "picture": asked["picture"]})
    return _changed("given", identity, give_picture(_known(identity), path))


def _changed(what: str, identity: str, mark: str) -> dict[str, Any]:
    said = {"id": identity, "title": _title(identity), "mark": mark}
    return fresh({"pictures": previews.of([identity]), what: said})


def _choices(path: Path) -> list[dict[str, Any]]:
    known = models.library()
    preset, _notes = read_any(path, known)
    found = [one for one in models_of(preset) if one in known]
    found.sort(
        key=lambda one: known[one].kind not in models.ROW_KINDS
    )  # those are looked for by it
    if not found:
        raise StudioError("none of the models that made it is in the library", field="picture")
    return [
        {
            "id": one,
            "title": _title(one),
            "has": bool(own_picture(one) or known[one].thumbnail),
            "own": bool(own_picture(one)),
        }
        for one in found
    ]


def _title(identity: str) -> str:
    return models.library()[identity].title or identity


def _known(identity: str) -> str:
    if identity not in models.library():
        raise StudioError(f"{shorten(identity)} is not in the library", field="picture")
    return identity
