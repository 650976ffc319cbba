"""A run of a base that only a hub has: the hub stands here, on the loopback address.

``python -m tests.support.hub_run FOLDER`` makes two pictures of ERNIE-Image, as its repository lies: a
prompt enhancer beside what is run. Before the second one a file of the hub's cache is gone. Prints
what the library knew of it each time, and which files were fetched.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

IDENTITY, SHA = "somebody/ernie", "a" * 40


def serve(folder: Path, fetched: list[str]) -> str:
    """The address of a hub that has ``folder`` as the repository :data:`IDENTITY`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(False)

        def do_GET(self) -> None:
            self.answer(True)

        def answer(self, whole: bool) -> None:
            path = self.path.partition("?")[0]
            status, headers, data = 404, {"X-Error-Code": "EntryNotFound"}, b""
            if path.startswith(f"/api/models/{IDENTITY}"):
                status, headers, data = 200, {}, listing(folder, path)
            elif "/resolve/" in path:
                name = path.partition("/resolve/")[2].partition("/")[2]
                if (folder / name).is_file():
                    data = (folder / name).read_bytes()
                    status, headers = 200, {"ETag": f'"{name.replace("/", "-")}"'}
                    fetched.extend([name] * whole)
            self.send_response(status)
            headers |= {"X-Repo-Commit": SHA, "Content-Length": str(len(data))}
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            if whole:
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def listing(folder: Path, path: str) -> bytes:
    """What the hub's API says of the repository."""
    files = {str(f.relative_to(folder)): f.stat().st_size for f in folder.rglob("*") if f.is_file()}
    if "/tree/" in path:
        below = path.partition("/tree/")[2].partition("/")[2]
        told = [
            {"type": "file", "path": name, "size": size, "oid": SHA}
            for name, size in files.items()
            if name.startswith(below)
        ]
        return json.dumps(told).encode()
    told = {"id": IDENTITY, "modelId": IDENTITY, "sha": SHA, "private": False, "tags": []}
    return json.dumps({**told, "siblings": [{"rfilename": name} for name in files]}).encode()


def main(work: Path) -> None:
    """Make the pictures, and print what was seen as one JSON object."""
    fetched: list[str] = []
    address = serve(work / "hub", fetched)
    os.environ.update(HF_ENDPOINT=address, HF_HOME=str(work / "hf"), HF_HUB_DISABLE_XET="1")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ.pop(name, None)
    from studio.engine import Engine
    from studio.events import Done
    from studio.library import Library
    from studio.preset import validate
    from tests.support import tiny_ernie

    tiny_ernie.pipeline(work / "hub")
    index = work / "hub/model_index.json"
    told = json.loads(index.read_text())
    index.write_text(json.dumps({**told, "pe": ["transformers", "Ministral3ForCausalLM"]}))
    (work / "hub/pe").mkdir()
    (work / "hub/pe/config.json").write_text("{}")
    (work / "hub/pe/model.safetensors").write_bytes(b"far too large to be fetched")
    library = Library((work / "none",))
    sampler = {"steps": 1, "scheduler": "euler", "width": 32, "height": 32}
    preset = validate({"base": IDENTITY, "rows": [{"prompt": "a cat"}], "sampler": sampler})
    seen = []
    for _ in range(2):
        before = library[IDENTITY]
        made = list(Engine(device="cpu", library=library).generate(preset))
        after = library[IDENTITY]
        done = sum(isinstance(event, Done) for event in made)
        seen.append([before.family, bool(before.path), done, after.family, bool(after.path)])
        for file in (work / "hf").rglob("transformer/*.safetensors"):
            file.unlink()
    print(json.dumps({"seen": seen, "fetched": fetched}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
