"""What of a picture's models that are not here can be looked up on civitai.com: by hash, or by number."""

from __future__ import annotations

from collections.abc import Sequence

from studio.library.civitai_links import is_hash_there, is_link
from studio.share.model_names import bare, shown
from studio.share.tools.table import Found


def elsewhere(found: Found, base_is_missing: bool, missing: Sequence[str]) -> list[str]:
    """A line for each model that is not here and of which the picture says what finds it there.

    Args:
        missing: as the tool calls them, besides the base.
    """
    known = {bare(name).lower(): one for name, one in (found.hash_of | found.links).items()}
    lines = []
    if base_is_missing:
        keys = (known.get(bare(found.model).lower(), ""), *found.hashes)
        lines += [_line(found.model or key, key) for key in keys if is_known(key)][:1]
    for name in dict.fromkeys(missing):
        key = known.get(bare(name).lower(), "")
        lines += [_line(name, key)] if is_known(key) else []
    return lines


def is_known(key: str) -> bool:
    """Whether the site can be asked for it."""
    return is_hash_there(key) or is_link(key)


def _line(name: str, key: str) -> str:
    return f"{shown(bare(name))} can be looked up on civitai.com: {key}"
