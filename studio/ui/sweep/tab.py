"""The Sweep tab's component: drawn by a script, with what that asks of the server by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from studio.errors import StudioError
from studio.preset.prompt_search import HELP, PROMPTS, TITLE
from studio.preset.scale import SCALE
from studio.preset.scale import TITLE as SCALE_TITLE
from studio.preset.style_axis import HELP as STYLE_HELP
from studio.preset.style_axis import STYLE
from studio.preset.style_axis import TITLE as STYLE_TITLE
from studio.ui.errors import one_line
from studio.ui.run import key_of
from studio.ui.schema import Leaf, leaves, start_leaves
from studio.ui.space import Limits
from studio.ui.sweep import earlier, shown
from studio.ui.sweep.sweeper import Sweeps
from studio.ui.widgets import Drawn

KINDS = ("number", "integer", "boolean", "choice", "text")
LEFT_OUT = ("name", "description", "count")
# The fields travel in the script: an update of a tab that is not mounted yet loses other props.
MOUNT = (
    "studio.mountSweep(element.firstElementChild, server, trigger, %s);"
    " /* 'submit' 'stop' 'select' 'edit' 'download' 'copy' */"
)


class SweepTab(Drawn):
    """Axes, their cost, the grid. ``select`` asks for the cost, ``submit`` starts or goes on, ``stop``
    stops, ``edit`` uses a cell or goes around it, ``copy`` keeps one in the history, ``download`` asks for
    a file."""

    def __init__(self, limits: Limits, **kwargs: Any) -> None:
        self.sweeps: Sweeps | None = None  # once the events are attached

        def sweep_cells(asked: Any) -> dict[str, Any]:
            """Finished cells (called from the script): ``session``, ``stem`` and ``first``."""
            return self._answer(asked, "cells")

        def sweep_picture(asked: Any) -> dict[str, Any]:
            """One cell's picture as it is (called from the script): ``session`` and ``place``."""
            return self._answer(asked, "picture")

        def sweep_earlier(asked: Any) -> dict[str, Any]:
            """Sweeps of earlier days (called from the script): ``session``, and the ``stem`` of one
            that is removed instead."""
            return self._answer(asked, "earlier")

        record = json.dumps({"fields": list(swept().values()), "most": limits.cells})
        functions = [sweep_cells, sweep_picture, sweep_earlier]
        super().__init__({}, MOUNT % record, server_functions=functions, **kwargs)

    def _answer(self, asked: Any, what: str) -> dict[str, Any]:
        given: Mapping[str, Any] = asked if isinstance(asked, dict) else {}
        key = key_of(given.get("session"))
        if self.sweeps is None or not key:
            return {}
        try:
            sweeper = self.sweeps.of(key)
            if what == "picture":
                return shown.picture_of(sweeper, given.get("place"))
            if what == "earlier":
                if "stem" in given:
                    earlier.delete(self.sweeps, key, given["stem"])
                    return {"removed": given["stem"]}
                return {"sweeps": earlier.listed(sweeper.folder)}
            first = given.get("first")
            number = first if isinstance(first, int) else 0
            return shown.cells_of(sweeper, str(given.get("stem")), number)
        except StudioError as error:
            return {"error": one_line(error)}


def swept() -> dict[str, Leaf]:
    """What can be varied besides the fields of rows, by name: fields of a preset and of the picture that
    it starts from, all prompts, styles, and all weights by their scale."""
    scale = {"name": SCALE, "path": SCALE, "kind": "number", "above": 0, "title": SCALE_TITLE}
    searched = {"name": PROMPTS, "path": PROMPTS, "kind": "text", "default": "", "note": HELP}
    style = {"name": STYLE, "path": STYLE, "kind": "text", "default": "", "note": STYLE_HELP}
    beside = {PROMPTS: {**searched, "title": TITLE}, STYLE: {**style, "title": STYLE_TITLE}}
    return {**beside, SCALE: scale} | {
        name: leaf
        for name, leaf in {**leaves(), **start_leaves()}.items()
        if leaf["kind"] in KINDS and name not in LEFT_OUT
    }
