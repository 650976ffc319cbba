"""What the page shows of a search, while it goes on and when the studio is started anew."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.files import write_atomically
from studio.home import studio_home
from studio.ui.tradeoff.state import SCORES, State
from studio.ui.widgets import picture

if TYPE_CHECKING:
    from studio.experiments.tune.points import Point

MAX_BYTES = 2**20  # of what is kept


def shown(state: State) -> dict[str, Any]:
    """A search's state for the script that draws it; before the first, what the last one found that a
    studio before this one kept."""
    if state.state == "idle" and (before := earlier()):
        return before
    return drawn(state)


def drawn(state: State) -> dict[str, Any]:
    """The state itself."""
    best = {id(point): place for place, point in enumerate(state.best)}
    subject = state.subject
    points = [_shown(point, best.get(id(point))) for point in state.points]
    return {
        "state": state.state,
        "text": state.text,
        "note": state.note,
        "made": state.made,
        "total": state.total,
        "asked": state.asked,
        "weight": state.weight,
        "key": state.key,
        "x": {"name": SCORES[0], "title": "like the subject (clip-i)"},
        "y": {"name": SCORES[1], "title": "like the text (clip-t)"},
        "row": subject.row if subject else None,
        "model": subject.model if subject else "",
        "prompt": state.prompt,
        "points": [point for point in points if point is not None],
    }


def _shown(point: Point, place: int | None) -> dict[str, Any] | None:
    if any(name not in point.metrics for name in SCORES) or not point.paths:
        return None
    x, y = (point.metrics[name] for name in SCORES)
    entry = {
        "values": dict(point.values),
        "x": [x.mean, x.low, x.high],
        "y": [y.mean, y.low, y.high],
        "front": place,
        "stopped": point.stopped,
        "pictures": len(point.paths),
    }
    return entry if place is None else {**entry, "image": picture(point.paths[0])}


def keep(state: State) -> None:
    """Keep what a search has found, for a studio that is started anew."""
    if state.points:
        kept = {**drawn(state), "state": "idle", "made": 0, "total": 0}
        with suppress(OSError):  # a full disk: the search goes on
            write_atomically(_file(), json.dumps(kept, ensure_ascii=False).encode())


def earlier() -> dict[str, Any]:
    """What the last search found; nothing where it is not kept. A point whose picture is gone has
    none."""
    try:
        if _file().stat().st_size > MAX_BYTES:
            return {}
        kept = json.loads(_file().read_text(encoding="utf-8"))
        with_image = [point for point in kept["points"] if "image" in point]
        if not all(_ours(point["image"]) for point in with_image):
            return {}
        for point in with_image:
            if not Path(point["image"]["file"]["path"]).is_file():
                del point["image"]
        return kept
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _file() -> Path:
    return studio_home() / "tune" / "shown.json"


def _ours(image: Any) -> bool:
    path = Path(image["file"]["path"]).resolve()
    return path.is_relative_to((studio_home() / "tune").resolve())
