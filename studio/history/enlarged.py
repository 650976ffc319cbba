"""A picture made larger with its own preset: what a page and the command line ask for alike."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from studio import images
from studio.errors import NoPreset, StudioError
from studio.library import Library
from studio.plan.row_models import check_base
from studio.preset import Preset
from studio.preset.derived import larger
from studio.share import read_any

UNREAD = "inputs/unread.png"  # in place of a picture that is not kept yet
MOST_TIMES = 8
# What a larger one replaces: of that nothing need be carried over.
OF_SIZE = ("sampler.width: ", "made at ", "second_pass.")
Check = Callable[[Preset], object]


@dataclass(frozen=True)
class Enlarging:
    """How pictures are made larger: ``factor`` times, from ``strength`` on, as
    :func:`studio.preset.derived.larger` has it.

    Raises:
        StudioError: a factor that is none.
    """

    factor: float
    strength: float
    enlarge: str = "pixels"
    tiles: bool = False
    upscaler: str = ""

    def __post_init__(self) -> None:
        if not 1 < self.factor <= MOST_TIMES:
            raise StudioError(
                f"over 1 and at most {MOST_TIMES} times as large, got {self.factor:g}",
                field="factor",
            )

    def of(
        self, path: Path, preset: Preset, library: Library, check: Check = lambda preset: None
    ) -> Preset:
        """A preset over a picture, which is kept among the inputs; it is checked before that is read.

        Raises:
            StudioError: a size, a strength or a model that cannot be, or a picture that cannot be read.
        """
        multiple = check_base(library.catalogue(), preset.base, preset.vae).multiple

        def over(image: str, size: tuple[int, int]) -> Preset:
            return larger(
                preset,
                image,
                size,
                factor=self.factor,
                strength=self.strength,
                multiple=multiple,
                enlarge=self.enlarge,
                tiles=self.tiles,
                upscaler=self.upscaler,
            )

        check(over(UNREAD, images.size_checked(path, path.name)))
        kept = images.store(path, path.name)
        # A photograph may lie on its side in its file, and is kept upright.
        return over(kept, images.size_checked(images.locate(kept), path.name))


def carried(path: Path, library: Library) -> Preset | None:
    """The preset of a file; ``None`` where it carries none.

    Raises:
        StudioError: it cannot be read.
    """
    with suppress(NoPreset):
        return read_any(path, library)[0]
    return None


def unsaid(path: Path, library: Library) -> list[str]:
    """What of another tool's picture could not be carried over to a larger one; nothing of one that
    cannot be read."""
    with suppress(StudioError):
        return [note for note in read_any(path, library)[1] if not note.startswith(OF_SIZE)]
    return []
