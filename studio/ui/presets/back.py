"""Presets and styles that were deleted or replaced, brought back from the bin."""

from __future__ import annotations

from typing import Any

from studio.errors import MissingFile, StudioError
from studio.files import write_atomically, write_new
from studio.home import presets_folder
from studio.preset.aside import GONE, digest, drop, kept_aside, put_aside
from studio.preset.own_styles import restore_style
from studio.preset.saved import find_thumbnail
from studio.ui.errors import one_line


def offered(did: str, name: str, token: str, replaced: str = "") -> dict[str, Any]:
    """What the page offers to take back.

    Args:
        did: what became of it, "Deleted" or "Replaced".
        token: what :func:`studio.preset.aside.kept_aside` finds it by.
        replaced: the digest of what was written in its place.
    """
    back = {"said": f"{did} {name}", "name": name, "token": token, "replaced": replaced}
    return {"back": back}


def bring_back(asked: Any) -> dict[str, Any]:
    """Bring one back (called from the script): ``of``, the presets or the styles, ``name``, ``token`` and
    ``replaced``, as offered. What has taken its place goes into the bin; where that is something else
    by now, it stays, and the one that comes back gets another file.

    Returns:
        ``{"back": True}``, or ``{"error": …}``.
    """
    given = asked if isinstance(asked, dict) else {}
    token = str(given.get("token"))
    try:
        if given.get("of") == "styles":
            restore_style(token, str(given.get("name")))
        else:
            _restore_preset(token, str(given.get("replaced") or ""))
    except StudioError as error:
        return {"error": one_line(error)}
    return {"back": True}


def _restore_preset(token: str, replaced: str) -> None:
    files = kept_aside(token, presets_folder())
    document = next((file for file in files if file.suffix == ".json"), None)
    if document is None:
        raise MissingFile(GONE, field="bin")
    pictures = [file for file in files if file != document]
    path, data = presets_folder() / document.name, document.read_bytes()
    if replaced and path.is_file() and digest(path.read_bytes()) == replaced:
        picture = find_thumbnail(path)
        with put_aside(path, picture):
            write_atomically(path, data)
            if picture:
                picture.unlink(missing_ok=True)
    else:
        path = write_new(
            presets_folder(),
            document.stem,
            document.suffix,
            data,
            taken=lambda path: find_thumbnail(path) is not None,  # another's, whose preset is gone
        )
    for picture in pictures:
        write_atomically(path.with_suffix(picture.suffix), picture.read_bytes())
    drop(token)
