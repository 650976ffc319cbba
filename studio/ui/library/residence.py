"""What this process's engine has loaded, for the Models tab."""

from __future__ import annotations

import html
import re
from typing import Any

from studio.ui import host
from studio.ui.library.models import megabytes

NOTHING = "Nothing yet: models are loaded when an image first needs them."
ELSEWHERE = "Workers make the pictures ({}); what each has loaded is with them."
_FOR = re.compile(r" (?:for|on) ")  # of a part for a model: a sign that every language reads
KINDS = {"unet": "network", "text": "text encoder", "vae": "VAE", "adapter": "adapter"}


def table() -> str:
    """Every part that is loaded: what it is, where it lies, and its bytes."""
    parts = host.loaded()
    lines = "".join(_line(part) for part in parts) or f"<p>{_nothing()}</p>"
    total = f" · {megabytes(host.loaded_bytes())}" if parts else ""
    return (
        f'<div class="gs-library gs-loaded"><section><h3>Loaded now{total}</h3>'
        f"{lines}</section></div>"
    )


def freed() -> str:
    """:func:`table`, once all that nothing holds has been let go."""
    host.free()
    return table()


def _nothing() -> str:
    workers = host.elsewhere()
    return ELSEWHERE.format(html.escape(workers)) if workers else NOTHING


def _line(part: dict[str, Any]) -> str:
    kind = KINDS.get(part["kind"]) or str(part["kind"])
    place = "waiting in memory" if part["waiting"] else f"on {part['device']}"
    details = " · ".join(
        filter(None, [place, "in use" if part["pinned"] else "", megabytes(part["bytes"])])
    )
    return (
        f"<div class='gs-model-line'><code>{html.escape(_FOR.sub(' → ', part['id']))}</code>"
        f"<span>{html.escape(kind)}</span><em>{html.escape(details)}</em></div>"
    )
