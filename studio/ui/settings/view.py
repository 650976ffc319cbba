"""What the settings show: values, origins, folders. Paths are for the owner's own page alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.home import (
    cache_folder,
    further_models,
    inputs_folder,
    models_folder,
    presets_folder,
    studio_home,
    styles_folder,
    wildcards_folder,
)
from studio.named_folders import kept
from studio.outputs import outputs_folder
from studio.settings import (
    SETTINGS,
    Chosen,
    Setting,
    Value,
    change,
    chosen,
    file_names,
    places,
    problems,
    settings_file,
)
from studio.ui import host
from studio.ui.space import Limits
from studio.ui.widgets import Whole, fresh

Refused = tuple[str, Any, str]  # a setting, what was given, and what is wrong with that
PREFERENCES = ("theme", "language", "autosave", "sounds", "notifications", "long_run")
READ_ONLY = (
    "This page is also for others, so its settings only show here. Change them where it runs: "
    "python -m studio settings"
)


class SettingsView(Whole):
    """The settings in a dialog: ``select`` asks for them as they are now, ``edit`` sets one by ``name``
    and ``value``, ``delete`` takes one out of the file."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountSettings(element.firstElementChild, props, trigger, watch);"
            " /* 'select' 'edit' 'delete' */"
        )
        super().__init__({}, mount, elem_id="gs-settings", elem_classes=["gs-signal"], **kwargs)


def lay_out(limits: Limits) -> SettingsView | None:
    """Declare them; a shared page, whose home goes with it, has none."""
    return None if limits.shared else SettingsView()


def at_start() -> dict[str, Value]:
    """What the engine of this process is made with."""
    return {name: chosen(name).value for name, one in SETTINGS.items() if one.restart}


def preferences(shared: bool) -> dict[str, Value]:
    """What the page's scripts go by; on a shared page the defaults."""
    return {name: SETTINGS[name].default if shared else chosen(name).value for name in PREFERENCES}


def shown(
    limits: Limits, begun: Mapping[str, Value], refused: Refused | None = None
) -> dict[str, Any]:
    """The view's value.

    Args:
        begun: what :func:`at_start` said.
        refused: stands at its setting, with what was given.
    """
    groups = [
        {"title": title, "settings": [_row(chosen(one.name), begun, refused) for one in found]}
        for title, found in groupby(_shown(limits), key=lambda one: one.group)
    ]
    return fresh(
        {
            "editable": limits.local,
            "notes": [*([] if limits.local else [READ_ONLY]), *problems()],
            "running": host.in_use(),
            "groups": groups,
            "folders": _folders() if limits.local else [],
        }
    )


def _shown(limits: Limits) -> list[Setting]:
    """The settings that this page may show; folders are for their owner's eyes."""
    return [one for one in SETTINGS.values() if limits.local or not one.folder]


def changed(name: Any, value: Any, limits: Limits) -> None:
    """Keep a value for every start; ``None`` puts the default back.

    Raises:
        StudioError: as :func:`studio.settings.change`; this page is also for others.
    """
    if not limits.local:
        raise StudioError(READ_ONLY, field="settings")
    change(str(name), value)


def _row(found: Chosen, begun: Mapping[str, Value], refused: Refused | None) -> dict[str, Any]:
    setting = found.setting
    name, given, said = refused or ("", None, "")
    waits = setting.restart and found.value != begun.get(setting.name, found.value)
    return {
        "name": setting.name,
        "title": setting.title,
        "help": setting.help,
        "kind": _kind(setting),
        "choices": _choices(found),
        "names": dict(setting.names),
        "low": setting.low,
        "high": setting.high,
        "value": found.value,
        "origin": found.origin,
        "variable": setting.variable,
        "problem": found.problem,
        "example": _example(found),
        "note": "" if name == setting.name else _note(found, begun),
        "restart": setting.restart,
        "waits": waits,
        "refused": {"given": given, "text": said} if name == setting.name else None,
    }


def _note(found: Chosen, begun: Mapping[str, Value]) -> str:
    """What a person should know of a value: of a folder, or that the machine has not what was chosen."""
    setting = found.setting
    if setting.folder:
        return places.note(str(found.value))
    if found.origin == "file" and found.value != begun.get(setting.name):
        other = host.instead_of(setting.name, str(found.value))
        return f"There is no {found.value} here: {other} is used instead" if other else ""
    asked, used = begun.get(setting.name), host.in_use().get(setting.name, "")
    if not used or found.value != asked or asked == "auto" or used.startswith(str(asked)):
        return ""
    return f"There is no {asked} here: {used} is used instead"


def _example(found: Chosen) -> str:
    """What a pattern comes to."""
    if not found.setting.check or not found.value:
        return ""
    return f"Such as {file_names.example(str(found.value))}"


def _kind(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        return "switch"
    if setting.folder or setting.check:
        return "folder" if setting.folder else "text"
    return "number" if isinstance(setting.default, int) else "choice"


def _choices(found: Chosen) -> list[str]:
    choices = list(found.setting.choices)
    if choices and found.value not in choices:  # such as a second GPU
        choices.append(str(found.value))
    return choices


def _folders() -> list[dict[str, str]]:
    """Where things are, and what says so."""
    given = "STUDIO_HOME" if os.environ.get("STUDIO_HOME") else "default"
    below = {
        "Models": models_folder(),
        "Pictures": outputs_folder(),
        "Presets": presets_folder(),
        "Styles": styles_folder(),
        "Wildcards": wildcards_folder(),
        "Given pictures": inputs_folder(),
        "Trainings": studio_home() / "training",
        "Sweeps": studio_home() / "sweeps",
        "Searches for ω": studio_home() / "tune",
        "Cache": cache_folder(),
        "Settings": settings_file(),
    }
    further = [("STUDIO_MODELS", path) for path in further_models() if path not in kept()]
    further += [("Models tab", path) for path in kept()]
    return [
        _folder("Home", studio_home(), given),
        *(_folder(title, path, _lies(path)) for title, path in below.items()),
        *(_folder("Further models", path, origin) for origin, path in further),
    ]


def _lies(path: Path) -> str:
    return "in the home" if path.is_relative_to(studio_home()) else "set above"


def _folder(title: str, path: Path, origin: str) -> dict[str, str]:
    full = path.absolute()
    home = Path.home()
    short = f"~/{full.relative_to(home)}" if full.is_relative_to(home) else str(full)
    return {"title": title, "path": short, "origin": origin}
