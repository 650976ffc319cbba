"""What is said of a model, read and written on the page of one's own machine."""

from __future__ import annotations

from typing import Any

from studio.errors import MissingModel, StudioError, shorten
from studio.library.entry import ModelEntry
from studio.library.own_words import LONGEST, fields_of, say_words
from studio.ui.errors import one_line
from studio.ui.library import models

CHANGED = "its words have changed meanwhile; copy yours, and open them anew"


def model_words(asked: Any) -> dict[str, Any]:
    """What is said of a model (called from the script): its ``id``, and with ``said`` what is to be said of
    it from now on, where it is still what was said ``before``.

    Returns:
        ``{"fields": [{name, value, longest}]}``, ``{"kept": True}``, or ``{"error": …}``.
    """
    given = asked if isinstance(asked, dict) else {}
    try:
        identity = str(given.get("id"))
        library = models.library()
        if identity not in library:
            raise MissingModel(f"{shorten(identity)} is not in the library")
        entry = library[identity]
        if isinstance(said := given.get("said"), dict):
            before = given.get("before")
            if isinstance(before, dict) and before != _said(entry):
                raise StudioError(CHANGED, field=shorten(identity))
            texts = {str(name): str(text) for name, text in said.items()}
            say_words(library.as_found(identity), texts)
            return {"kept": True}
    except StudioError as error:
        return {"error": one_line(error)}
    return {
        "fields": [
            {"name": name, "value": value, "longest": LONGEST[name]}
            for name, value in _said(entry).items()
        ]
    }


def _said(entry: ModelEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in fields_of(entry)}
