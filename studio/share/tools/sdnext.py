"""SD.Next: AUTOMATIC1111's grammar with settings of its own, known by ``App: SD.Next``."""

from __future__ import annotations

from studio.share.texts import Texts
from studio.share.tools.a1111 import split, to_found
from studio.share.tools.table import READERS, Found, Reader


def read(texts: Texts) -> Found | None:
    """Texts whose settings name the app."""
    parts = split(texts.parameters())
    if parts is None or not str(parts[2].get("App", "")).lower().startswith("sd.next"):
        return None
    settings = dict(parts[2])
    for theirs, ours in (("CFG true", "CFG scale"), ("Guidance rescale", "CFG rescale")):
        if theirs in settings:
            settings.setdefault(ours, settings.pop(theirs))
    return to_found((parts[0], parts[1], settings), "SD.Next")


READERS.register("SD.Next", Reader(read))
