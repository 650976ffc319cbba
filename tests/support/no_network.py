"""No test asks an outside host: looked at where Python itself connects and looks names up."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

OUTSIDE: list[str] = []
_OWN = {"localhost", "", socket.gethostname().lower(), "ip6-localhost"}
_installed = False


class OutsideRequest(OSError):
    """A test that asks an outside host; an ``OSError``, as any network that is not there."""


def is_outside(host: Any) -> bool:
    """Whether a host is not this machine."""
    if isinstance(host, bytes):
        host = host.decode("latin-1")
    if not isinstance(host, str) or host.lower() in _OWN:
        return False
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback and host != "0.0.0.0"
    except ValueError:
        return True


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path: within the machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if is_outside(host):
        OUTSIDE.append(f"{event} {host!r}")
        raise OutsideRequest(f"a test asks {host!r}")


def install() -> None:
    """From now on in this process; Python has no way to take it back."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)
