"""What of a picture's models that are not here can be looked up on civitai.com: by hash, or by number."""

from __future__ import annotations

from collections.abc import Sequence

from studio.library.civitai_links import is_hash_there, link_of, version_of
from studio.share.model_names import Shelf, bare, shown
from studio.share.tools.table import Found

OWN_MODELS = ("NovelAI",)  # tools whose models are on no site


def elsewhere(
    found: Found, shelf: Shelf, base_is_missing: bool, missing: Sequence[str]
) -> list[str]:
    """A line for each model that is not here and of which the picture says what finds it there.

    Args:
        shelf: with the hashes and links of ``found``.
        missing: as the tool calls them, besides the base.
    """
    if found.tool in OWN_MODELS:
        return []
    lines = []
    if base_is_missing:
        linked = shelf.links.get(bare(found.model).lower(), "")
        keys = [_key(one) for one in (linked, *found.hashes)]
        lines += [_line(found.model or key, key) for key in keys if key][:1]
    for name in dict.fromkeys(missing):
        wanted = bare(name).lower()
        key = _key(shelf.links.get(wanted, "")) or _key(shelf.hashes.get(wanted, ""))
        lines += [_line(name, key)] if key else []
    return lines


def _key(given: str) -> str:
    """A hash, or a link of the site's own to a file, by which it can be asked; "" for neither."""
    version = version_of(given)
    return link_of(version) if version else given * is_hash_there(given)


def _line(name: str, key: str) -> str:
    return f"{shown(bare(name))} can be looked up on civitai.com: {key}"
