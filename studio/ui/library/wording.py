"""What is said of a model, read and written on the page of one's own machine."""

from __future__ import annotations

from typing import Any

from studio.errors import MissingModel, StudioError, shorten
from studio.library.own_words import LONGEST, fields_of, say_words
from studio.ui.errors import one_line
from studio.ui.library import models


def model_words(asked: Any) -> dict[str, Any]:
    """What is said of a model (called from the script): its ``id``, and with ``said`` what is to be said of
    it from now on.

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
            texts = {str(name): str(text) for name, text in said.items()}
            say_words(library.as_found(identity), texts)
            return {"kept": True}
    except StudioError as error:
        return {"error": one_line(error)}
    return {
        "fields": [
            {"name": name, "value": getattr(entry, name), "longest": LONGEST[name]}
            for name in fields_of(entry)
        ]
    }
