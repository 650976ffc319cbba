"""A site of models on the loopback address, as civitai.com answers."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL, VERSION = 827184, 2514310


def told(name: str, data: bytes, **more: Any) -> dict[str, Any]:
    """What the site says of a file."""
    return {
        "id": 7,
        "name": name,
        "type": "Model",
        "sizeKB": len(data) / 1024,
        "primary": True,
        "hashes": {"SHA256": hashlib.sha256(data).hexdigest().upper()},
        "metadata": {"format": "SafeTensor", "fp": "fp16", "size": "pruned"},
        "downloadUrl": f"https://elsewhere.example/api/download/models/{VERSION}?fp=fp16",
        **more,
    }


class Site:
    """One version of one model, whose file lies on another host as the real ones do.

    ``broken``: the file is cut short once; ``held``: it stops in the middle until that is set; ``status``
    with ``content_type``: what asking for the file answers instead of where it lies; ``file_status``: what
    the other host answers; ``told``: what the site says in place of JSON; ``asked``: path, who asks and
    which bytes, of every request for something of the file.
    """

    def __init__(
        self, data: bytes, kind: str = "LORA", name: str = "ink style.safetensors"
    ) -> None:
        self.data, self.broken, self.status, self.file_status = data, False, 0, 0
        self.content_type, self.told = "text/plain", b""
        self.held: threading.Event | None = None
        self.asked: list[tuple[str, str, str]] = []
        self.info: dict[str, Any] = {
            "id": VERSION,
            "modelId": MODEL,
            "name": "v2",
            "baseModel": "SD 1.5",
            "trainedWords": ["inkstyle"],
            "model": {"name": "Ink", "type": kind},
            "files": [told("ink.ckpt", data, primary=False), told(name, data)],
        }
        self._files, self._site = self._serve(self._file), self._serve(self._page)
        self.url = self._address(self._site)

    def hashes(self) -> set[str]:
        """Of its files, as the site writes them."""
        files = self.info.get("files")
        known = [one.get("hashes") for one in (files if isinstance(files, list) else ())]
        return {digest for one in known if isinstance(one, dict) for digest in one.values()}

    def close(self) -> None:
        """Stop serving."""
        for server in (self._files, self._site):
            server.shutdown()
            server.server_close()

    def _address(self, server: ThreadingHTTPServer) -> str:
        return f"http://127.0.0.1:{server.server_port}"

    def _serve(self, answer: Any) -> ThreadingHTTPServer:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                answer(self)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def _note(self, request: BaseHTTPRequestHandler) -> None:
        given = request.headers
        self.asked.append(
            (request.path, given.get("Authorization") or "", given.get("Range") or "")
        )

    def _page(self, request: BaseHTTPRequestHandler) -> None:
        if request.path.startswith("/api/download/"):
            self._note(request)
            request.send_response(self.status or 307)
            request.send_header("Location", f"{self._address(self._files)}/file")
            request.send_header("Content-Type", self.content_type)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        versions = {"modelVersions": [{"id": VERSION}, {"id": 1}]}
        answers = {
            f"/api/v1/models/{MODEL}": versions,
            f"/api/v1/model-versions/{VERSION}": self.info,
            **{f"/api/v1/model-versions/by-hash/{one}": self.info for one in self.hashes()},
        }
        body = self.told or json.dumps(answers.get(request.path, {"error": "none"})).encode()
        request.send_response(200 if request.path in answers else 404)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _file(self, request: BaseHTTPRequestHandler) -> None:
        self._note(request)
        behind = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "")
        start = int(behind[1]) if behind else 0
        if self.file_status or (start and start >= len(self.data)):
            request.send_response(self.file_status or 416)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        rest = self.data[start:]
        request.send_response(206 if start else 200)
        if start:
            end = f"{len(self.data) - 1}/{len(self.data)}"
            request.send_header("Content-Range", f"bytes {start}-{end}")
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        half = len(rest) // 2
        request.wfile.write(rest[:half])
        if self.held is not None:
            self.held.wait(30)
        if not self.broken:
            with suppress(OSError):  # whoever stops listening
                request.wfile.write(rest[half:])
        self.broken = False
