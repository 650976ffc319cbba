"""Tags of a person's own lists, for the completion of prompts."""

from __future__ import annotations

from typing import Any

from studio.preset import tag_files

MOST_TYPED = 60  # letters


def tags_like(asked: Any) -> dict[str, Any]:
    """Tags that complete what is typed (called from the script): ``typed``.

    Returns:
        ``{"tags": [[text, other name or ""], …], "none": whether there is no list, "problem": one line
        or ""}``.
    """
    typed = str(asked.get("typed", "")) if isinstance(asked, dict) else ""
    count, problem = tag_files.known()
    found = tag_files.find(typed[:MOST_TYPED]) if count else []
    tags = [[tag.text, tag.alias] for tag in found]
    return {"tags": tags, "none": not count, "problem": problem}
