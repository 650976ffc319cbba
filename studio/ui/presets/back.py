"""Presets and styles that were deleted or replaced, brought back from the bin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import write_atomically, write_new
from studio.home import presets_folder
from studio.preset.aside import drop, kept_aside, put_aside
from studio.preset.own_styles import restore_style
from studio.preset.saved import find_thumbnail
from studio.ui.errors import one_line


def offered(did: str, name: str, token: str) -> dict[str, Any]:
    """What the page offers to take back.

    Args:
        did: what became of it, "Deleted" or "Replaced".
        token: as :func:`studio.preset.aside.put_aside` gives it.
    """
    replaced = did == "Replaced"
    return {"back": {"said": f"{did} {name}", "name": name, "token": token, "replaced": replaced}}


def bring_back(asked: Any) -> dict[str, Any]:
    """Bring one back (called from the script): ``of``, the presets or the styles, ``name``, ``token`` and
    whether it was ``replaced``, which puts what has taken its place into the bin.

    Returns:
        ``{"back": True}``, or ``{"error": …}``.
    """
    given = asked if isinstance(asked, dict) else {}
    token = str(given.get("token"))
    try:
        if given.get("of") == "styles":
            restore_style(token, str(given.get("name")))
        else:
            _restore_preset(token, bool(given.get("replaced")))
    except StudioError as error:
        return {"error": one_line(error)}
    return {"back": True}


def _restore_preset(token: str, replaced: bool) -> None:
    files = kept_aside(token)
    document = next(file for file in files if file.suffix == ".json")
    path = presets_folder() / document.name
    if replaced and path.is_file():
        _make_room(path)
        write_atomically(path, document.read_bytes())
    else:
        path = write_new(presets_folder(), document.stem, document.suffix, document.read_bytes())
    for picture in files:
        if picture != document:
            write_atomically(path.with_suffix(picture.suffix), picture.read_bytes())
    drop(token)


def _make_room(path: Path) -> None:
    picture = find_thumbnail(path)
    put_aside([path, *([picture] if picture else [])])
    if picture:
        picture.unlink(missing_ok=True)
