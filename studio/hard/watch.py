"""Watches what the process does while cases run: files opened for writing, and hosts asked."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_OWN = {"", "localhost", "127.0.0.1", "::1", "0.0.0.0", socket.gethostname()}


class Watch:
    """While it is open, what is written outside ``allowed`` and which hosts are asked is noted."""

    _watching: Watch | None = None
    _hooked = False
    _kept: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] = ()
        self.outside: list[str] = []

    def __enter__(self) -> Watch:
        if not Watch._hooked:
            Watch._hooked = True
            sys.addaudithook(Watch._hook)
        Watch._watching = self
        return self

    def __exit__(self, *error: object) -> None:
        Watch._watching = None

    @staticmethod
    def allow(folder: object) -> None:
        """A folder that outlives its case, such as of a model that many cases run on."""
        Watch._kept += (str(folder),)

    @staticmethod
    def _hook(event: str, arguments: tuple[Any, ...]) -> None:
        here = Watch._watching
        if here is None:
            return
        if event == "open":
            here._opened(arguments[0], arguments[2])
        elif event in ("socket.connect", "socket.sendto"):
            address = arguments[1]
            here._asked(address[0] if isinstance(address, tuple) else None)
        elif event == "socket.getaddrinfo":
            here._asked(arguments[0])

    def _opened(self, path: object, flags: object) -> None:
        if not isinstance(path, str) or not isinstance(flags, int) or not flags & _WRITES:
            return
        device = path.startswith("/dev/") and not path.startswith("/dev/shm/")
        own = device or path.startswith((*self.allowed, *Watch._kept))
        own = own or path.endswith((".pyc", "__pycache__"))
        if not own and ".pyc." not in path:
            self.outside.append(f"wrote {path}")

    def _asked(self, host: object) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        if isinstance(name, str) and name.lower() not in _OWN and not name.startswith("127."):
            self.outside.append(f"asked {name}")
            raise ConnectionRefusedError(f"an attack asks {name}")
