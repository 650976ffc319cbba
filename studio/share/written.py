"""What stands in an image file in words, as its tool wrote it: to be read, not to be taken over."""

from __future__ import annotations

import json
import re
from pathlib import Path

from studio.errors import BadPreset, MissingFile, StudioError
from studio.images import open_checked
from studio.share.parameters import parameters_text
from studio.share.read import carried, read_image
from studio.share.texts import Texts, json_object, texts_of
from studio.share.write import COMMENT_KEY, PNG_KEY

MAX_SHOWN = 100_000  # characters
# The first of these is shown; what else a file says is seldom about how it was made.
_TOLD = ("parameters", "prompt", "Comment", "UserComment", "invokeai_metadata", "XmpUserComment")
_INFOTEXT = ("parameters", "UserComment")
_STEPS = re.compile(r"^Steps: \d", re.MULTILINE)


def written_in(path: str | Path) -> str:
    """The settings in an image as its tool wrote them, JSON with a line for each value. Of a picture of
    the studio's own, and of tools that write none in one piece: the text that AUTOMATIC1111 reads.

    Raises:
        MissingFile: there is no such file.
        NoPreset: nothing about how it was made is written in it.
        BadPreset: not an image, damaged, or too large. All name the file.
    """
    path = Path(path)
    texts = _texts(path)
    found = next((text for name in _TOLD if (text := texts.get(name).strip())), "")
    found = found.rpartition(f", {COMMENT_KEY}: ")[0] or found
    if not found:
        return parameters_text(read_image(path)[0])
    data = json_object(found)
    shown = found if data is None else json.dumps(data, indent=1, ensure_ascii=False)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]} …"


def infotext_of(path: str | Path) -> str:
    """AUTOMATIC1111's text as the tool that made an image wrote it; "" where that wrote another, and in
    a picture of the studio's own, whose preset says more.

    Raises:
        MissingFile: there is no such file.
        BadPreset: not an image, damaged, or too large. Both name the file.
    """
    path = Path(path)
    texts = _texts(path)
    if carried(texts, path.name) is not None:
        return ""
    found = next((text for name in _INFOTEXT if (text := texts.get(name).strip())), "")
    return found if _STEPS.search(found) and json_object(found) is None else ""


def _texts(path: Path) -> Texts:
    try:
        with open_checked(path, path.name) as image:
            return texts_of(image, path, whole=PNG_KEY)
    except MissingFile:
        raise
    except StudioError as error:
        raise BadPreset(error.message, field=path.name) from error
