"""What a person can set for every start: ``STUDIO_HOME/settings.json``, outranked by the environment.

A file that is damaged, or a value in it that cannot be, is named in one line and left out; it stops
nothing. A variable of the environment with such a value is refused where it is used, by its name.
"""

from studio.settings.kept import (
    Chosen,
    change,
    chosen,
    problems,
    settings_file,
    value_of,
)
from studio.settings.table import SETTINGS, Setting, Value

__all__ = [
    "SETTINGS",
    "Chosen",
    "Setting",
    "Value",
    "change",
    "chosen",
    "problems",
    "settings_file",
    "value_of",
]
