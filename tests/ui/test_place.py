"""A place where no page can be served is refused in a sentence, before anything is loaded for it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.ui.place import check_place
from tests.support import REPOSITORY
from tests.support.studio_page import free_port


def test_a_second_page_on_one_port_is_told_of_the_first(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "app.py", "--port", str(port)]
        place = {"cwd": REPOSITORY, "capture_output": True, "text": True, "timeout": 120}
        found = subprocess.run(command, env={"STUDIO_HOME": str(tmp_path), "PATH": ""}, **place)
    assert found.returncode == 2 and "Traceback" not in found.stderr and not found.stdout
    assert found.stderr.startswith(
        f"--port: {port} is taken already, maybe by a page of this studio"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_port_that_is_offered_is_free() -> None:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        try:
            second.bind(("127.0.0.1", port + 1))
        except (OSError, OverflowError):
            pytest.skip("somebody else has the next port, which does as well")
        first.listen()
        second.listen()
        with pytest.raises(StudioError) as found:
            check_place("127.0.0.1", port)
    offered = int(str(found.value).partition("--port ")[2].split()[0])
    assert offered not in (port, port + 1)
    check_place("127.0.0.1", offered)


def test_what_is_no_place_names_its_flag() -> None:
    check_place("127.0.0.1", free_port())
    if socket.has_ipv6 and any(
        one[0] == socket.AF_INET6 for one in socket.getaddrinfo("localhost", 0)
    ):
        check_place("::1", free_port())
    check_place("localhost", 0)
    with pytest.raises(StudioError, match=r"^--port: 0 to 65535, got 70000"):
        check_place("127.0.0.1", 70_000)


def test_an_address_of_another_machine_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def numeric(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(socket, "getaddrinfo", numeric)  # a number is looked up nowhere
    with pytest.raises(
        StudioError, match=r"^--host: no address of this machine, got '192\.0\.2\.1'"
    ):
        check_place("192.0.2.1", 0)


def test_a_name_that_nobody_knows_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # no resolver is asked
    with pytest.raises(StudioError, match=r"^--host: no address of this machine, got 'nowhere'"):
        check_place("nowhere", 0)


def test_what_can_be_no_name_is_no_place() -> None:
    for host in ("x" * 64 + ".y", "a..b"):
        with pytest.raises(StudioError, match=r"^--host: no address of this machine, got '"):
            check_place(host, 0)
