"""The bin: deleted pictures, whole, until it is emptied."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from studio.errors import StudioError


class Bin:
    """A folder of deleted pictures, each under its id.

    Args:
        folder: where it lies; ``None`` for a history in memory, whose deleted pictures are removed.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def place(self, identity: str, path: str) -> Path:
        """Where a deleted picture lies."""
        return (self.folder or Path()) / f"{identity}{Path(path).suffix}"

    def take(self, file: Path, identity: str, path: str) -> bool:
        """Move a picture in; one that is not there any more counts as moved.

        Raises:
            StudioError: it cannot be moved; names the file.
        """
        if self.folder is None:
            with suppress(OSError):
                file.unlink()
            return True
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            os.replace(file, self.place(identity, path))
        except FileNotFoundError:
            return True
        except OSError as error:
            raise StudioError(
                f"cannot be put into the bin ({error.strerror})", field=file.name
            ) from error
        return True

    def give(self, identity: str, path: str, file: Path) -> bool:
        """Move a picture back to where it lay; ``False`` where the bin does not hold it.

        Raises:
            StudioError: another picture has taken its place, or it cannot be moved.
        """
        place = self.place(identity, path)
        if not place.is_file():
            return False
        if file.exists():
            raise StudioError("another picture lies in its place", field=file.name)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            os.replace(place, file)
        except OSError as error:
            raise StudioError(
                f"cannot be brought back ({error.strerror})", field=file.name
            ) from error
        return True

    def remove(self, identity: str, path: str) -> None:
        """Remove a deleted picture for good.

        Raises:
            StudioError: it cannot be removed.
        """
        try:
            self.place(identity, path).unlink(missing_ok=True)
        except OSError as error:
            raise StudioError(f"cannot be removed ({error.strerror})", field=identity) from error
