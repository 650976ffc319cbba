"""The guard that holds for every test: nothing outside is asked, not even by a library in C."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from tests.support import no_network


def test_outside_is_refused_and_noticed() -> None:
    for ask in (
        lambda: urllib.request.urlopen("http://example.org", timeout=2),
        lambda: socket.socket().connect(("93.184.216.34", 80)),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("8.8.8.8", 53)),
    ):
        with pytest.raises(OSError):
            ask()
    noticed = [no_network.OUTSIDE.pop() for _ in range(3)]
    assert sorted(noticed) == [
        "socket.connect '93.184.216.34'",
        "socket.getaddrinfo 'example.org'",
        "socket.sendto '8.8.8.8'",
    ]


def test_this_machine_is_not_outside() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), 5).close()
    assert not no_network.OUTSIDE
