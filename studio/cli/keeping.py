"""What the verb generate makes, in the history: that of the page, where it lies in the same folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio import logs
from studio.cli.common import say_notes
from studio.cli.making import show
from studio.errors import StudioError, shorten
from studio.events import Done
from studio.history import History, history
from studio.history.intake import name_of, once_held
from studio.history.made import hash_models, remember, unhashed
from studio.library import Library
from studio.outputs import outputs_folder
from studio.share.write import Naming


class Keeping:
    """Takes pictures into the history, and last the hashes of their models, for which none waits.

    Args:
        folder: where the pictures go; elsewhere than in the outputs folder they are no part of it.
    """

    def __init__(self, folder: Path, library: Library) -> None:
        self.library = library
        self._own: History | None = None
        self._unhashed: dict[str, None] = {}
        if folder.resolve().is_relative_to(outputs_folder().resolve()):
            try:
                self._own = history()
            except StudioError as error:  # the page takes the pictures in later
                say_notes([f"the history: {error}"])

    def naming(self) -> Naming:
        """How the settings want pictures to be called; no name of the history's is given again."""
        named, own = Naming.of_settings(), self._own
        if not named.pattern or own is None:
            return named
        outputs = own.outputs.resolve()
        return replace(named, taken=lambda path: once_held(own, outputs, path.resolve()))

    def _named(self, path: Path, own: History) -> str:
        return name_of(own.outputs.resolve(), path.resolve())

    def take(self, done: Done, path: Path, parent: str = "") -> None:
        """A picture that was saved, and the id of the one that it was made of."""
        if self._own is None:
            return
        try:
            inside = self._own.outputs / self._named(path, self._own)
            record = remember(self._own, done, inside, self.library, parent)
        except (StudioError, OSError) as error:
            say_notes([f"the history: {error}"])
            return
        self._unhashed |= dict.fromkeys(unhashed(record, self.library))

    def end(self) -> None:
        """Compute what hashes are lacking, once for each file; Ctrl+C leaves it for another time."""
        if self._own is None or not self._unhashed:
            return
        show("hashes of the models")
        try:
            hash_models(self._own, self.library, self._unhashed)
        except KeyboardInterrupt:
            return
        except Exception as error:  # the pictures are there all the same
            logs.record(error)
            say_notes([f"hashes of the models: {shorten(error)}"])
        finally:
            show("")
