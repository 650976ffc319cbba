"""The settings' values: the file's, below the environment's, above the defaults."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from studio.errors import StudioError, shorten
from studio.files import read_regular, write_atomically
from studio.home import studio_home
from studio.locks import held
from studio.settings.places import cannot_hold
from studio.settings.table import SETTINGS, Setting, Value

MAX_BYTES = 2**18
Origin = Literal["environment", "file", "default"]


@dataclass(frozen=True)
class Chosen:
    """A setting's present value and where it comes from; ``problem``: why a variable cannot be read,
    the value is the default then."""

    setting: Setting
    value: Value
    origin: Origin
    problem: str = ""


def chosen(name: str) -> Chosen:
    """The present value of a setting: the environment's, else the file's, else its default."""
    setting = SETTINGS[name]
    given = os.environ.get(setting.variable, "") if setting.variable else ""
    if given:
        try:
            return Chosen(setting, setting.read(given), "environment")
        except StudioError as error:
            return Chosen(setting, setting.default, "environment", error.message)
    kept = _kept()[0]
    if name in kept:
        return Chosen(setting, kept[name], "file")
    return Chosen(setting, setting.default, "default")


def value_of(name: str) -> Any:
    """:func:`chosen`, where it must be right.

    Raises:
        StudioError: the environment has a value that it cannot have; names the variable.
    """
    found = chosen(name)
    if found.problem:
        raise StudioError(found.problem, field=found.setting.variable)
    return found.value


def problems() -> list[str]:
    """What of the file is left out and why, a line each."""
    return _kept()[1]


def change(name: str, value: Any) -> Chosen:
    """Keep a value for every start; ``None`` takes it out of the file. Everything else in the file stays.

    Raises:
        StudioError: no such setting; a value that it cannot have; a folder that takes no files; the
            environment sets it; the file is damaged, or cannot be written.
    """
    if name not in SETTINGS:
        raise StudioError(f"there is no such setting; there is {', '.join(SETTINGS)}", field=name)
    setting = SETTINGS[name]
    if chosen(name).origin == "environment":
        raise StudioError(f"is set by {setting.variable}, which outranks the file", field=name)
    usable = None if value is None else _usable(setting, setting.checked(value))
    with held(settings_file()):  # of two changes at once neither is lost
        data = _read()
        if value is None:
            data.pop(name, None)
        else:
            data[name] = usable
        text = json.dumps(data, indent=2, ensure_ascii=False)
        write_atomically(settings_file(), f"{text}\n".encode())
    return chosen(name)


def _usable(setting: Setting, value: Value) -> Value:
    """The value, where a folder that it names can take files; the drive may be gone at a later start."""
    why = cannot_hold(value) if setting.folder and isinstance(value, str) and value else ""
    if why:
        raise StudioError(why, field=setting.name)
    return value


def settings_file() -> Path:
    """Where they are kept."""
    return studio_home() / "settings.json"


def _read() -> dict[str, Any]:
    """What the file holds, right or wrong.

    Raises:
        StudioError: it cannot be read as an object; nothing is written over it.
    """
    try:
        data = json.loads(read_regular(settings_file(), MAX_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _left_out(f"cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise _left_out("is no JSON") from error
    if not isinstance(data, dict):
        raise _left_out("is no JSON object")
    return data


def _left_out(why: str) -> StudioError:
    return StudioError(
        f"{why}; its settings are not in use until it is put right or removed",
        field=settings_file().name,
    )


def _kept() -> tuple[dict[str, Value], list[str]]:
    """The values of the file that can be, and a line for each that cannot."""
    try:
        data = _read()
    except StudioError as error:
        return {}, [str(error)]
    lines = list(_wrong(data))
    return {
        name: data[name] for name in SETTINGS if name in data and not _refused(name, data[name])
    }, lines


def _wrong(data: dict[str, Any]) -> Iterator[str]:
    for name, given in data.items():
        why = _refused(name, given) if name in SETTINGS else "there is no such setting"
        if why:
            yield f"{settings_file().name}: {shorten(name)[1:-1]}: {why}; it is left out"


def _refused(name: str, given: Any) -> str:
    try:
        SETTINGS[name].checked(given)
    except StudioError as error:
        return error.message
    return ""
