"""The page's messages in other languages: which there are, and their files beside the page."""

from __future__ import annotations

from typing import Any

from studio.languages import ENGLISH, Language, languages
from studio.ui.beside import Files
from studio.ui.widgets import Drawn


def _file(one: Language) -> str:
    return f"studio-messages-{one.tag}.json"


def offered() -> dict[str, dict[str, str]]:
    """What the scripts know of each language by its tag: its name, its direction, and the address of
    its messages; English has none to fetch."""
    return {
        tag: {
            "name": one.name,
            "direction": one.direction,
            "file": "" if tag == ENGLISH else f"{_file(one)}?{one.version}",
        }
        for tag, one in languages().items()
    }


def files() -> Files:
    """The messages of each language but English."""
    found = {_file(one): one for tag, one in languages().items() if tag != ENGLISH}
    return Files(
        frozenset(found), lambda name: ("application/json", found[name].served()), lasting=True
    )


class LanguageList(Drawn):
    """Lets a visitor choose; the choice stays in the browser."""

    def __init__(self, **kwargs: Any) -> None:
        mount = "studio.mountLanguages(element.firstElementChild);"
        super().__init__({}, mount, elem_id="gs-languages", **kwargs)
