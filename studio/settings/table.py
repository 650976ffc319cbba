"""What there is to set: the one table, and what each setting may be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.errors import StudioError, printable, shorten
from studio.files import is_text
from studio.languages import AUTOMATIC, names
from studio.settings import file_names

Value = bool | int | str
_SWITCH = {"0": False, "1": True}


@dataclass(frozen=True)
class Setting:
    """One thing to set; ``default`` says its type.

    ``choices``: of a text, what it may be, or ``pattern`` too; ``names``: what some of them are
    called. ``low``, ``high``: of a whole number. ``folder``: of a text, that it is a folder's full
    path, or nothing. ``check``: of a text, why it cannot be the value, "" where it can. ``variable``: of the environment, which outranks the file; switches are 0 or 1
    there. ``group``: where it stands. ``restart``: it is read once, when the engine is made.
    """

    name: str
    title: str
    help: str
    group: str
    default: Value
    check: Callable[[str], str] | None = None
    choices: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    pattern: str = ""
    low: int = 0
    high: int = 0
    variable: str = ""
    restart: bool = False
    folder: bool = False

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, int):
            return f"a whole number from {self.low} to {self.high}"
        if self.folder:
            return "the full path of a folder (or ~/…), or nothing"
        if self.check:
            return f"a text with {file_names.LISTED}, or nothing"
        return f"one of {', '.join(self.choices)}"

    def checked(self, given: Any) -> Value:
        """``given`` where it can be this setting's value.

        Raises:
            StudioError: it cannot; names the setting, what was given and what is allowed.
        """
        if self.check and isinstance(given, str):
            if why := self.check(given):
                raise StudioError(why, field=self.name)
            return given
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
        if self.folder:
            return not given or _is_folder(given)
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


def _is_folder(given: str) -> bool:
    """Whether this is a full path at which a folder is, or may be made."""
    try:
        path = Path(os.path.expanduser(given))
        written = is_text(given) and printable(given) == given
        return written and path.is_absolute() and (path.is_dir() or not path.exists())
    except (OSError, ValueError):  # too long
        return False


RUNNING, PAGE, PLACES = "How networks run", "This page", "Where things go"
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
            "language",
            "Language",
            "The page's. Automatic: as the browser prefers, where there is that language.",
            PAGE,
            AUTOMATIC,
            choices=(AUTOMATIC, *names()),
            names=names(),
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
        Setting(
            "outputs",
            "Pictures",
            "The folder for pictures; nothing: outputs in the home. What was made before stays where it "
            "is: move it there, and the History has it again.",
            PLACES,
            "",
            variable="STUDIO_OUTPUTS",
            restart=True,
            folder=True,
        ),
        Setting(
            "file_names",
            "File names",
            f"Of pictures that this page and the verb generate make. {file_names.LISTED} stand for "
            "what they say, / makes a folder. Nothing: date, time, seed and the first words.",
            PLACES,
            "",
            check=file_names.why_not,
        ),
        Setting(
            "picture_format",
            "Format of pictures",
            "Of the same pictures. A JPEG or WebP takes a fraction of a PNG's room and loses a little of the "
            "picture. One whose preset holds further pictures, as a control image, stays a PNG.",
            PLACES,
            "png",
            choices=("png", "jpeg", "webp"),
            names={"png": "PNG", "jpeg": "JPEG", "webp": "WebP"},
        ),
    )
}
