"""What a person names as a gallery, and the folder that holds its presets here."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from studio.errors import MissingFile, StudioError, shorten
from studio.files import is_text, replace_folder, slug
from studio.home import cache_folder
from studio.library.hub import is_closed, is_hub_id
from studio.share.gallery import dataset, git

FIELD = "gallery"
KNOWN = "a full path of a folder, an address of a Git repository, or hub:OWNER/NAME of a dataset"
MAX_CHARACTERS = 500
_DATASET = re.compile(r"(?:hub:|https://huggingface\.co/datasets/)(.*)")
_ADDRESS = re.compile(r"(?:https?|ssh|git)://\S+|file://.+|[\w.-]+@[\w.-]+:\S+")
_BARE = ("HEAD", "objects", "refs")  # of a repository without files beside it


@dataclass(frozen=True)
class Source:
    """A gallery. ``name``: how it is written; two ways to write one become the same."""

    kind: Literal["folder", "git", "hub"]
    name: str

    @property
    def folder(self) -> Path:
        """Where its presets lie, once they are here."""
        if self.kind == "folder":
            return Path(self.name)
        key = hashlib.sha256(self.name.encode()).hexdigest()[:12]
        return cache_folder() / "galleries" / f"{slug(self.name.rsplit('/', 1)[-1])}-{key}"

    @property
    def identity(self) -> str:
        """Of a dataset, its id on the hub."""
        return self.name.removeprefix("hub:")


def source_of(text: str, field: str = FIELD, known: str = KNOWN) -> Source:
    """What a person typed, as a gallery; nothing is looked at but whether a folder is there.

    Args:
        field: where it was typed.
        known: what may be typed there, for a refusal.

    Raises:
        StudioError: it is none of the three; an address with a password in it; no such folder.
    """
    given = text.strip().strip("\"'")
    if not given or len(given) > MAX_CHARACTERS or not is_text(given):
        raise StudioError(f"{known}; got {shorten(given)}", field=field)
    dataset_named = _DATASET.fullmatch(given)
    if dataset_named:
        return Source("hub", f"hub:{_identity(dataset_named[1], given, field)}")
    if _ADDRESS.fullmatch(given):
        return Source("git", _without_password(given, field))
    folder = _folder(given)
    if folder is None:
        raise MissingFile(f"{shorten(given)} is no folder here; {known}", field=field)
    if all((folder / name).exists() for name in _BARE):
        path = folder.as_posix().removeprefix("/").replace("%", "%25")  # git decodes an address
        return Source("git", f"file:///{path}")
    return Source("folder", str(folder))


def _identity(name: str, given: str, field: str) -> str:
    name = name.rstrip("/").removesuffix("/tree/main")
    if not is_hub_id(name):
        raise StudioError(f"{shorten(given)} names no dataset (hub:OWNER/NAME)", field=field)
    return name


def _without_password(address: str, field: str) -> str:
    """The address, unless a password stands in it: it would be shown and kept."""
    try:
        secret = urlsplit(address).password if "://" in address else None
    except ValueError as error:
        raise StudioError(f"{shorten(address)} is no address", field=field) from error
    if secret:
        raise StudioError("an address without its password; git asks its own store", field=field)
    return address


def _folder(given: str) -> Path | None:
    try:
        path = Path(os.path.expanduser(given))
        return path.absolute() if path.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, nobody's home
        return None


def opened(source: Source, fresh: bool = False, endpoint: str | None = None) -> Path:
    """The folder of a gallery; what is not here yet is fetched, whole or not at all.

    Args:
        fresh: fetch it again where it is here already.
        endpoint: another hub than the environment's.

    Raises:
        StudioError: it cannot be fetched; says why. What was here before stays.
    """
    folder = source.folder
    if source.kind == "folder" or (folder.is_dir() and not fresh):
        return folder
    if is_closed():
        raise StudioError("a shared page fetches nothing for its visitors", field=FIELD)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".coming-") as coming:
            new = Path(coming) / "new"
            if source.kind == "git":
                git.clone(source.name, new)
            else:
                dataset.fetch(source.identity, new, endpoint)
            replace_folder(new, folder, Path(coming) / "aside")
    except OSError as error:
        raise StudioError(f"cannot be kept ({error.strerror or error})", field=FIELD) from error
    return folder
