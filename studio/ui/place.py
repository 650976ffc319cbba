"""Where the page can be served: a host of this machine and a port that nothing else has."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress

from studio.errors import StudioError

HIGHEST_PORT = 65535


def check_place(host: str, port: int) -> None:
    """Refuse a place where no page can be served, before anything is loaded for it.

    Raises:
        StudioError: a port that is none or that something else has, or a host that is none of this
            machine's; names the flag.
    """
    if not 0 <= port <= HIGHEST_PORT:
        raise StudioError(f"0 to {HIGHEST_PORT}, got {port}", field="--port")
    try:
        _bind(host, port)
    except UnicodeError as error:  # a name that none can have
        why = f"no address of this machine, got {host!r} ({error})"
        raise StudioError(why, field="--host") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StudioError(
                f"{port} is taken already, maybe by a page of this studio; --port {_next(host, port)} is "
                "another",
                field="--port",
            ) from error
        if error.errno == errno.EACCES:
            raise StudioError(f"{port} is not for programs of yours", field="--port") from error
        why = error.strerror or str(error)
        raise StudioError(
            f"no address of this machine, got {host!r} ({why})", field="--host"
        ) from error


def _bind(host: str, port: int) -> None:
    places = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, kind, protocol, _, place = places[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":  # elsewhere this takes the port from who has it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)


def _next(host: str, port: int) -> int:
    """The nearest port that is free: above it, else below."""
    for other in (*range(port + 1, min(port + 100, HIGHEST_PORT + 1)), *range(port - 1, 1024, -1)):
        with suppress(OSError):
            _bind(host, other)
            return other
    return 0  # whichever the system has
