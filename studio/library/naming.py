"""Names of models that are made here: of trained ones, and of merged ones."""

from __future__ import annotations

import re

from studio.errors import StudioError, shorten
from studio.files import RESERVED
from studio.library.lone_file import meant_for
from studio.library.scan import OTHERS

MOST_OF_NAME = 60  # characters


def check_spelling(name: str) -> None:
    """Refuse what no model can be named.

    Raises:
        StudioError: names ``name``.
    """
    if len(name) > MOST_OF_NAME:
        raise StudioError(f"at most {MOST_OF_NAME} characters, got {len(name)}", field="name")
    if not re.fullmatch(r"[\w.-]+", name):
        raise StudioError(
            f"{shorten(name)} cannot be a model's name; letters, digits, - _ and . can",
            field="name",
        )
    if name.lower().partition(".")[0] in RESERVED:
        raise StudioError(
            f"{shorten(name)} cannot be a model's name; Windows keeps it for a device", field="name"
        )
    if not re.match(r"[A-Za-z0-9]", name):
        raise StudioError(
            f"{shorten(name)} cannot be a model's name; it begins with one of a-z, A-Z, 0-9",
            field="name",
        )


def check_no_folder(name: str) -> None:
    """Refuse a name whose folder would be taken for models of one kind: what is merged is a base.

    Raises:
        StudioError: names ``name``.
    """
    if name.lower() in OTHERS or meant_for(f"{name}/") != "base":
        raise StudioError(
            f"{shorten(name)} cannot be a model's name; folders called so hold models of one kind",
            field="name",
        )
