"""The page's languages: English, which the page is written in, and one file of messages for each other.

A file ``TAG.json`` beside this one is a language; there is no other list. It holds ``name``, what the
language calls itself, ``direction`` (``ltr`` or ``rtl``), ``same``, the messages that read alike in it,
and ``messages``, from the English text to its own. In a message ``{n}``, ``{m}`` and ``{k}`` stand for
a number (as any single letter), a longer name for a text that stays as it is, one that begins with
``one_`` for such a text without a `` · `` in it, one with ``word_`` for such a text or a word of the
page's own, and one with ``the_`` for a text that is a message itself. ``**``, ``*`` and backquotes are bold, italic and code.
``counted``, for a language that needs it, has the other forms of words that stand behind a number, by the
plural categories of Unicode's CLDR: ``{"files": {"one": "file"}}``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ENGLISH, AUTOMATIC = "en", "auto"


@dataclass(frozen=True)
class Language:
    """``tag``: as browsers name it, such as ``de`` or ``pt-BR``; ``direction``: ``ltr`` or ``rtl``;
    ``same``: messages that read alike in English and in it; ``counted``: forms of words behind a number."""

    tag: str
    name: str
    direction: str = "ltr"
    same: tuple[str, ...] = ()
    messages: tuple[tuple[str, str], ...] = ()
    counted: tuple[tuple[str, dict[str, str]], ...] = ()

    def served(self) -> bytes:
        """Its messages and counted words as the page fetches them, a JSON object."""
        served = {"messages": dict(self.messages), "counted": dict(self.counted)}
        return json.dumps(served, ensure_ascii=False).encode()

    @property
    def version(self) -> str:
        """Other messages have another."""
        return hashlib.sha256(self.served()).hexdigest()[:12]


@lru_cache(maxsize=1)
def languages() -> dict[str, Language]:
    """Every language by its tag, English first."""
    found = [_read(path) for path in sorted(FOLDER.glob("*.json"))]
    return {one.tag: one for one in (Language(ENGLISH, "English"), *found)}


def names() -> dict[str, str]:
    """What each language calls itself."""
    return {tag: one.name for tag, one in languages().items()}


def _read(path: Path) -> Language:
    data = json.loads(path.read_text(encoding="utf-8"))
    same, messages = tuple(data.get("same", ())), tuple(data["messages"].items())
    counted = tuple(data.get("counted", {}).items())
    return Language(path.stem, data["name"], data.get("direction", "ltr"), same, messages, counted)
