"""The form as a preset of one's own: saved beside those that there are, or in the place of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from studio.errors import MissingFile
from studio.preset import Preset
from studio.ui import run
from studio.ui.errors import guarded, tell, warn
from studio.ui.form import to_preset
from studio.ui.history.moments import picture_of
from studio.ui.layout import Parts
from studio.ui.presets import gallery
from studio.ui.presets.back import offered
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.widgets import EACH, QUIET, WITH_SESSION, fresh

# Each of these answers with the whole list.
SHELF: dict[str, Any] = {"concurrency_id": "shelf", "concurrency_limit": 1}
STYLES: dict[str, Any] = {"concurrency_id": "styles", "concurrency_limit": 1}


def attach(parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    shown = [parts.shelf, parts.signals["saved"]]
    options: dict[str, Any] = {
        "inputs_kwargs": dict(parts.form),
        "js": WITH_SESSION,
        **SHELF,
    }

    def picture(session: str, preset: Preset) -> Path | None:
        return picture_of(runs.session(run.key_of(session)).moments, preset)

    def shown_with(more: dict[str, Any]) -> dict[Any, Any]:
        return {parts.shelf: gallery.cards(limits) | more, parts.signals["saved"]: fresh({})}

    def saved(session: str, **values: Any) -> dict[Any, Any]:
        preset = to_preset(values)
        before, other = gallery.namesakes(preset.name), gallery.described_as(preset)
        path = gallery.save(preset, limits, picture(session, preset))
        stays = "; the one of this name before stays as it is" if before else ""
        if other:  # as the form still had it
            tell(f"Its description is still that of “{other}”", title="Preset")
        tell(f"Saved as {path.name}{stays}", title="Preset")
        return shown_with({})

    def replaced(session: str, event: gr.EventData, **values: Any) -> dict[Any, Any]:
        preset = to_preset(values)
        try:
            was = gallery.replace(limits, str(event.id), preset, picture(session, preset))
        except MissingFile as error:
            warn(error)
            return {parts.shelf: gallery.cards(limits)}
        return shown_with(offered("Replaced", *was))

    parts.save.click(guarded(saved), parts.session, shown, **options, **QUIET)
    parts.shelf.replace(guarded(replaced), parts.session, shown, **options, **EACH)
