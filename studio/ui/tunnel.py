"""A shared page's address for everybody, through Gradio's own tunnel."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from studio.errors import printable

Opens = Callable[..., str]  # gradio.networking.setup_tunnel, or a test's
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
DAYS = 7  # for which Gradio's servers keep a tunnel at most


def opened(address: str, port: int, opens: Opens | None = None) -> str:
    """Open the tunnel to the page that this process serves.

    Args:
        address, port: what it is bound to.
        opens: who opens it; Gradio by default.

    Returns:
        one line for the person who started it: the address, or why there is none.
    """
    if opens is None:
        from gradio.networking import setup_tunnel as opens
    try:
        place = opens(ANY.get(address, address), port, secrets.token_urlsafe(32), None, None)
    except Exception as error:  # of the network, its servers, or the program that it fetches
        why = " ".join(printable(str(error)).split())[:300] or type(error).__name__
        return (
            f"--share: there is no tunnel ({why.rstrip('.')}); "
            f"the page goes on at http://{address}:{port}"
        )
    return (
        f"Shared on https://{urlsplit(place).netloc} for at most {DAYS} days: "
        "whoever has this address can make pictures here"
    )
