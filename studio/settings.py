"""What a person can set for every start: ``STUDIO_HOME/settings.json``, outranked by the environment.

A file that is damaged, or a value in it that cannot be, is named in one line and left out; it stops
nothing. A variable of the environment with such a value is refused where it is used, by its name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from studio.errors import StudioError, shorten
from studio.files import read_regular, write_atomically
from studio.home import studio_home

MAX_BYTES = 2**18
Value = bool | int | str
Origin = Literal["environment", "file", "default"]
_SWITCH = {"0": False, "1": True}


@dataclass(frozen=True)
class Setting:
    """One thing to set; ``default`` says its type.

    ``choices``: of a text, what it may be, or ``pattern`` too. ``low``, ``high``: of a whole number.
    ``variable``: of the environment, which outranks the file; switches are 0 or 1 there. ``group``:
    where it stands. ``restart``: it is read once, when the engine is made.
    """

    name: str
    title: str
    help: str
    group: str
    default: Value
    choices: tuple[str, ...] = ()
    pattern: str = ""
    low: int = 0
    high: int = 0
    variable: str = ""
    restart: bool = False

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, int):
            return f"a whole number from {self.low} to {self.high}"
        return f"one of {', '.join(self.choices)}"

    def checked(self, given: Any) -> Value:
        """``given`` where it can be this setting's value.

        Raises:
            StudioError: it cannot; names the setting, what was given and what is allowed.
        """
        if self._fits(given):
            return given
        raise StudioError(f"must be {self.allowed}, got {shorten(given)}", field=self.name)

    def _fits(self, given: Any) -> bool:
        if isinstance(self.default, bool) or isinstance(given, bool):
            return isinstance(given, bool) and isinstance(self.default, bool)
        if isinstance(self.default, int):
            return isinstance(given, int) and self.low <= given <= self.high
        if not isinstance(given, str):
            return False
        return given in self.choices or bool(self.pattern and re.fullmatch(self.pattern, given))

    def read(self, text: str) -> Value:
        """The value in a text: of the environment or of a command line.

        Raises:
            StudioError: as :meth:`checked`; switches are 0 or 1 (true and false are understood).
        """
        given = text.strip()
        if isinstance(self.default, bool):
            known = {**_SWITCH, "true": True, "false": False}
            if given.lower() not in known:
                raise StudioError(f"must be 0 or 1, got {text!r}", field=self.name)
            return known[given.lower()]
        if isinstance(self.default, int):
            return self.checked(int(given) if re.fullmatch(r"\d{1,9}", given) else given)
        return self.checked(given)


RUNNING, PAGE = "How networks run", "This page"
SETTINGS: dict[str, Setting] = {
    one.name: one
    for one in (
        Setting(
            "device",
            "Device",
            "Where networks run. Automatic: CUDA, else Apple's GPU, else the CPU. A second GPU is cuda:1.",
            RUNNING,
            "auto",
            choices=("auto", "cuda", "mps", "cpu"),
            pattern=r"cuda:\d{1,2}",
            variable="STUDIO_DEVICE",
            restart=True,
        ),
        Setting(
            "precision",
            "Precision",
            "Automatic: float16 on CUDA, float32 elsewhere, where halves are slower or break.",
            RUNNING,
            "auto",
            choices=("auto", "float32", "bfloat16", "float16"),
            variable="STUDIO_PRECISION",
            restart=True,
        ),
        Setting(
            "attention",
            "Attention",
            "PyTorch's own (sdpa), or xformers on CUDA; 'python -m studio bench' measures both.",
            RUNNING,
            "sdpa",
            choices=("sdpa", "xformers"),
            variable="STUDIO_ATTENTION",
            restart=True,
        ),
        Setting(
            "channels_last",
            "Channels last",
            "Convolutions on another order in memory; faster on some machines.",
            RUNNING,
            False,
            variable="STUDIO_CHANNELS_LAST",
            restart=True,
        ),
        Setting(
            "compile",
            "Compile",
            "Compiled networks on CUDA: minutes once, faster from then on.",
            RUNNING,
            False,
            variable="STUDIO_COMPILE",
            restart=True,
        ),
        Setting(
            "downloads",
            "Fetch weights when needed",
            "Preprocessors and metrics may fetch their own from the hub.",
            RUNNING,
            False,
            variable="STUDIO_ALLOW_DOWNLOAD",
        ),
        Setting(
            "theme",
            "Theme",
            "For browsers in which nobody has pressed Light or dark.",
            PAGE,
            "system",
            choices=("system", "light", "dark"),
        ),
        Setting(
            "autosave",
            "Keep the form",
            "Rows and sliders are there again in a new window. Off: only as long as the tab lives.",
            PAGE,
            True,
        ),
        Setting("sounds", "Sound", "A short one when a long run ends.", PAGE, False),
        Setting(
            "notifications",
            "Notification",
            "One of the system when a long run ends and the page is out of sight.",
            PAGE,
            False,
        ),
        Setting(
            "long_run",
            "A long run",
            "Seconds from which on a run is long, for both.",
            PAGE,
            20,
            low=0,
            high=86400,
        ),
    )
}


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
        StudioError: no such setting; a value that it cannot have; the environment sets it; the file
            is damaged, or cannot be written.
    """
    if name not in SETTINGS:
        raise StudioError(f"there is no such setting; there is {', '.join(SETTINGS)}", field=name)
    setting = SETTINGS[name]
    if chosen(name).origin == "environment":
        raise StudioError(f"is set by {setting.variable}, which outranks the file", field=name)
    data = _read()
    if value is None:
        data.pop(name, None)
    else:
        data[name] = setting.checked(value)
    text = json.dumps(data, indent=2, ensure_ascii=False)
    write_atomically(settings_file(), f"{text}\n".encode())
    return chosen(name)


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
