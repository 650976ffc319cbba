"""The models that a preset names, and those of them that are not here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from studio.errors import MissingModel, StudioError
from studio.library.catalogue import Library
from studio.library.hub import holder_on_hub, is_hub_id
from studio.library.hub_pipelines import describe, serves_rows
from studio.preset import ModelRef, Preset, Row


@dataclass(frozen=True)
class Missing:
    """``field``: where it is named; ``hub``: the hub's id that may hold it, "" where none can."""

    field: str
    id: str
    hub: str


def named(preset: Preset, active: bool = True) -> Iterator[tuple[str, str]]:
    """Field and id of the base and of every model that rows name; autoencoders are not among them.

    Args:
        active: only of the rows that take part.
    """
    yield "base", preset.base
    rows: Sequence[tuple[int, Row]]
    rows = preset.active_rows() if active else list(enumerate(preset.rows))
    for index, row in rows:
        where = f"rows.{index}"
        if isinstance(row.model, ModelRef):
            ids = [name for name, _ in row.model.adapters()]
            ids += [row.model.model or "", *row.model.embeddings]
        else:
            ids = [row.model or ""]
        yield from ((f"{where}.model", name) for name in ids if name)
        for name, control in row.all_controls.items():
            if control.model:
                yield f"{where}.{name}.model", control.model
        if row.image_prompt:
            yield f"{where}.image_prompt.model", row.image_prompt.model


@contextmanager
def named_by(preset: Preset) -> Iterator[None]:
    """What is missing inside the ``with``, under the field of the preset that names it.

    Raises:
        MissingModel: as it comes.
    """
    try:
        yield
    except MissingModel as error:
        fields = [*named(preset), *preset.beside_rows()]
        field = next((where for where, one in fields if one == error.model), error.field)
        if not error.model or field == error.field:
            raise
        raise MissingModel(error.message, field=field, model=error.model) from error


def missing(preset: Preset, library: Library) -> list[Missing]:
    """Models of rows that take part which are neither in the library nor in the hub's cache here,
    or whose files have gone since."""
    found = [
        Missing(field, name, holder_on_hub(name))
        for field, name in named(preset)
        if not _here(name, library) and (field == "base" or not serves_rows(name))
    ]
    beside = preset.beside_rows()  # of the hub neither is fetched by what is a model's id there
    return found + [Missing(field, name, "") for field, name in beside if not _here(name, library)]


def describe_networks(preset: Preset, library: Library) -> None:
    """Learn from the hub of which families those networks are that are only there; a few kilobytes.

    Raises:
        MissingModel: no network, no such model, or one that asks for an account.
    """
    wanted: list[str] = []
    chosen = (row.model for _, row in preset.active_rows())
    networks = (one.model if isinstance(one, ModelRef) else one for one in chosen)
    later = (name for _, name in preset.followers())
    for name in dict.fromkeys((preset.base, *networks, *later)):
        if name and name not in library and is_hub_id(name):
            with suppress(MissingModel):  # whoever reads the preset says so
                if not library[name].path:
                    wanted.append(name)
    for name in wanted:
        describe(name)


def _here(name: str, library: Library) -> bool:
    try:
        path = library[name].path  # without one it is only a name on the hub
        return bool(path) and Path(path).exists()  # it may have gone since it was listed
    except (StudioError, OSError):
        return False
