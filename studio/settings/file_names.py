"""What pictures' files are called: a pattern of a person's own, such as ``[date]/[time]-[seed]-[prompt]``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from studio.errors import shorten
from studio.files import slug
from studio.numbering import cut

# What stands for what, each with an example.
TOKENS = {
    "date": "2026-11-29",
    "time": "18-42-07",
    "seed": "7",
    "model": "starter",
    "prompt": "a red apple",
    "preset": "Still life",
    "width": "128",
    "height": "128",
    "steps": "25",
    "sampler": "dpm++",
}
LISTED = ", ".join(f"[{name}]" for name in TOKENS)
MOST_LETTERS, MOST_FOLDERS = 200, 3
LONGEST_NAME, LONGEST_FOLDER, LONGEST_TOKEN = 100, 50, 60  # in ASCII: some disks take 143 bytes
LONGEST_FOLDERS, LONGEST_PATH = 90, 160  # of all together: Windows takes 260 with all that is above
_NOTHING = "\0"  # in the place of an empty value
_ENDS = " ._,-"
_AROUND = re.compile(f"([{_ENDS}]*){_NOTHING}([{_ENDS}]*)")
_TOKEN = re.compile(r"\[([^\[\]]*)\]")
_SUFFIX = re.compile(r"\.(png|jpe?g|webp)\s*", re.IGNORECASE)
_PLAIN = re.compile(r"[^A-Za-z0-9 _.,+()=@/-]")  # what some disk does not take, or reads otherwise


def why_not(pattern: str) -> str:
    """Why nothing can be called so; "" where it can. No pattern at all can be."""
    if len(pattern) > MOST_LETTERS:
        return f"has {len(pattern)} characters; at most {MOST_LETTERS}"
    for name in _TOKEN.findall(pattern):
        if name.lower() not in TOKENS:
            return f"there is no {shorten(f'[{name}]')} for a file's name; there is {LISTED}"
    literal = _TOKEN.sub("x", pattern)
    if wrong := _PLAIN.search(literal):
        said = "letters without accents, digits, spaces, -_.,+()=@ and, for a folder, /"
        return f"no file's name holds {shorten(wrong[0])} everywhere; it may hold {said}"
    if ended := _SUFFIX.search(literal, max(0, len(literal.rstrip()) - 5)):
        return f"ends in {shorten(ended[0].strip())}; the format's own is added to every name"
    *folders, name = literal.split("/")
    if any(part.strip(" .") == "" for part in folders) or name.strip() in (".", ".."):
        return "leads out of the folder of pictures"
    if len(folders) > MOST_FOLDERS:
        return f"makes {len(folders)} folders within each other; at most {MOST_FOLDERS}"
    if pattern and not name.strip(" ."):
        return "names a folder and no file"
    for part in (*folders, name) if pattern else ():
        if not part.strip(_ENDS):
            return f"nothing is left of {shorten(part)}, since no name begins or ends with it"
    return ""


def filled(pattern: str, values: Mapping[str, str], otherwise: str = "") -> str:
    """The path of a file without its suffix, ``/`` between folders.

    What stands for something is written in lower case with ASCII letters, digits and hyphens, cut
    where it is long; a folder or the whole name may lose its end too.

    Args:
        pattern: one for which :func:`why_not` knows nothing.
        values: of each token.
        otherwise: the name, where nothing is left of the pattern's own.
    """

    def text(match: re.Match[str]) -> str:
        return slug(values[match[1].lower()], LONGEST_TOKEN) or _NOTHING

    *folders, name = (_TOKEN.sub(text, part) for part in pattern.split("/"))
    longest = min(LONGEST_FOLDER, LONGEST_FOLDERS // max(1, len(folders)))
    inside = "".join(f"{one}/" for folder in folders if (one := _safe(folder, longest)))
    own = _safe(name, min(LONGEST_NAME, LONGEST_PATH - len(inside))) or otherwise
    return inside + own if own else ""


def example(pattern: str) -> str:
    """How a file could be called by a pattern."""
    return f"{filled(pattern, TOKENS)}.png"


def _safe(part: str, longest: int) -> str:
    """Without what begins or ends no name on some disk, and what an empty value leaves around it."""
    part = _AROUND.sub(lambda match: match[1] or match[2], part.replace(f"({_NOTHING})", _NOTHING))
    part = cut(part.strip(_ENDS), longest).rstrip(_ENDS)
    device = slug(part.split(".")[0]).endswith("_")  # a name that Windows keeps for one
    return f"_{part}" if device else part
