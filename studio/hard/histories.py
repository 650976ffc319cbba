"""The history's database (SQLite) and its journal, changed at random: the history opens all the same."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from PIL import Image

from studio.errors import StudioError
from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.mutation import bytes_mutated
from studio.history import History, Query
from studio.history.intake import take_in
from studio.home import studio_home
from studio.outputs import outputs_folder
from studio.preset import validate
from studio.share import save_image

COUNT = 3
_PRESET = validate({"name": "kept", "rows": [{"prompt": "a cat"}], "sampler": {"seed": 1}})


@lru_cache(maxsize=1)
def _whole() -> dict[str, bytes]:
    """The files of a home with some pictures, one of them starred."""
    studio_home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=studio_home()) as name:  # where an attack may write
        home = Path(name)
        for seed in range(COUNT):
            image = Image.new("RGB", (16, 16), (80 * seed, 0, 0))
            save_image(image, _PRESET.with_seed(seed), home / "outputs")
        history = History(home, home / "outputs")
        take_in(history)
        first = history.search().records[0].id
        history.mark([first], starred=True, note="mine", tags=("a", "b"))
        history.close()
        files = [path for path in home.rglob("*") if path.is_file()]
        return {path.relative_to(home).as_posix(): path.read_bytes() for path in files}


def history(draw: Draw, folder: Path) -> None:
    """The database or the journal is changed; then the history is opened, filled and asked."""
    home = studio_home()
    for name, data in _whole().items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = not name.startswith("outputs") and draw.random() < 0.7
        path.write_bytes(bytes_mutated(draw, data) if changed else data)
    opened = History(home, outputs_folder())
    try:
        try:
            _asked(opened, home)
        except StudioError:  # damage that shows late is refused once, and mended then
            _asked(opened, home)
    finally:
        opened.close()


def _asked(opened: History, home: Path) -> None:
    take_in(opened)
    found = opened.search(Query(text="cat"))
    opened.mark([one.id for one in found.records[:1]], starred=True)
    opened.names("tags")
    if opened.notice and opened.search().total < COUNT and "deleted" not in _journal(home):
        raise Fell("a picture is not found again")
    if opened.database.home is None:
        raise Fell(f"it is not kept: {opened.notice}")


def _journal(home: Path) -> str:
    path = home / "history.jsonl"
    return path.read_text(errors="replace") if path.is_file() else ""


ATTACKS.register(
    "history", Attack("the history's database (SQLite) and journal", history, seconds=2.0, short=20)
)
