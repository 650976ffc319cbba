"""One small file per family: what loads its parts, encodes its text, decodes its latents."""

from __future__ import annotations

from studio.engine.families.base import Family, Text
from studio.errors import IncompatibleModels, StudioError
from studio.extensions import placed
from studio.library import family_of


def family_named(name: str) -> Family:
    """The family of a library entry (such as ``sd1``; "" for a hub id not yet described).

    Raises:
        IncompatibleModels: a family that this studio does not run.
    """
    try:
        record = family_of(name)
    except StudioError as error:
        raise IncompatibleModels(error.message, field="base") from error
    return placed(record.runs)(record)


__all__ = ["Family", "Text", "family_named"]
