"""SD.Next: AUTOMATIC1111's grammar with settings of its own, known by ``App: SD.Next``."""

from __future__ import annotations

from studio.share.texts import Texts
from studio.share.tools.a1111 import split, to_found
from studio.share.tools.table import READERS, Found, Reader

_NAMES = {
    "CFG true": "CFG scale",
    "Guidance rescale": "CFG rescale",
    "Variation strength": "Variation seed strength",
    "Sampler sigma": "Schedule type",
}
_SAYS_NOTHING = ("Backend", "Batch", "Index", "Grid", "Build")
_PLAIN_OPERATIONS = {"txt2img", "diffusers", "none", ""}
_PARSERS = ("native", "full parser", "a1111", "a1111 parser")  # weights as written here
_PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")


def read(texts: Texts) -> Found | None:
    """Texts whose settings name the app."""
    parts = split(texts.parameters())
    if parts is None or not str(parts[2].get("App", "")).lower().startswith("sd.next"):
        return None
    settings = dict(parts[2])
    for theirs, ours in _NAMES.items():
        if theirs in settings and ours not in settings:
            settings[ours] = settings.pop(theirs)
    for name in _SAYS_NOTHING:
        settings.pop(name, None)
    if {one.strip() for one in str(settings.get("Operations", "")).split(";")} <= _PLAIN_OPERATIONS:
        settings.pop("Operations", None)
    if str(settings.get("Parser", "")).lower() in _PARSERS:
        settings.pop("Parser", None)
    if settings.get("Pipeline") in _PIPELINES:
        del settings["Pipeline"]
    return to_found((parts[0], parts[1], settings), "SD.Next")


READERS.register("SD.Next", Reader(read))
