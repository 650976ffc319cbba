"""Proxies that put the page under a path: a small one of Python's, and nginx and Caddy as docs/page.md has them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.support import REPOSITORY
from tests.support.studio_page import free_port

PATH = "/studio"
DOCS = (REPOSITORY / "docs" / "page.md").read_text(encoding="utf-8")
NGINX = """daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port};
{block}
    }}
}}
"""
CADDY = """{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
{block}
}}
"""
HOP = ("host", "connection", "transfer-encoding", "content-length")


def _documented(language: str, upstream: int) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    assert "127.0.0.1:7860" in block
    return block.replace("127.0.0.1:7860", f"127.0.0.1:{upstream}")


@contextmanager
def stand_in(upstream: int, folder: Path) -> Iterator[int]:
    """A proxy of a few lines. It streams both ways and strips the path."""
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{upstream}", timeout=None)

    async def forward(request: Request) -> StreamingResponse:
        url = httpx.URL(path=request.url.path.removeprefix(PATH), query=request.url.query.encode())
        given = request.headers["host"]
        headers = [(k, v) for k, v in request.headers.items() if k not in HOP[1:]]
        headers += [("x-forwarded-host", given), ("x-forwarded-proto", "http")]
        asked = client.build_request(
            request.method, url, headers=headers, content=await request.body()
        )
        answer = await client.send(asked, stream=True)
        kept = {k: v for k, v in answer.headers.items() if k not in HOP}
        ends = BackgroundTask(answer.aclose)
        return StreamingResponse(answer.aiter_raw(), answer.status_code, kept, background=ends)

    route = Route(f"{PATH}/{{rest:path}}", forward, methods=["GET", "POST", "HEAD"])
    port = free_port()
    config = uvicorn.Config(Starlette(routes=[route]), port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        _answers(port)
        yield port
    finally:
        server.should_exit = True
        thread.join(5)  # or not


def _program(
    name: str, language: str, template: str, arguments: Callable[[Path], list[str]]
) -> Callable[[int, Path], object]:
    @contextmanager
    def served(upstream: int, folder: Path) -> Iterator[int]:
        program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if program is None:
            if os.environ.get(f"STUDIO_REQUIRE_{name.upper()}"):
                pytest.fail(f"{name} is not installed")
            pytest.skip(f"{name} is not installed")
        port, file = free_port(), folder / f"{name}.conf"
        block = _documented(language, upstream)
        file.write_text(template.format(port=port, folder=folder, block=block))
        process = subprocess.Popen([program, *arguments(file)], cwd=folder)
        try:
            _answers(port)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(2)  # or not
            except subprocess.TimeoutExpired:  # Caddy waits for its connections
                process.kill()
                process.wait()

    return served


def _answers(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"no proxy on {port}")


PROXIES = {
    "stand-in": stand_in,
    "nginx": _program(
        "nginx", "nginx", NGINX, lambda file: ["-p", str(file.parent), "-c", str(file)]
    ),
    "caddy": _program(
        "caddy",
        "caddy",
        CADDY,
        lambda file: ["run", "--adapter", "caddyfile", "--config", str(file)],
    ),
}
