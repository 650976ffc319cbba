"""Where the page can be served: a host of this machine and a port that nothing else has."""

from __future__ import annotations

import errno
import os
import socket

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
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StudioError(
                f"{port} is taken already, maybe by a page of this studio; --port {_next(port)} is "
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
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # elsewhere this takes the port from who has it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host.strip("[]"), port))


def _next(port: int) -> int:
    return port + 1 if port < HIGHEST_PORT else port - 1
