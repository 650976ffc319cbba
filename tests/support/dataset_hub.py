"""A hub on the loopback address with datasets of one owner: listed, fetched, made and added to."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SHA = "b" * 40


class DatasetHub:
    """``datasets``: files by dataset. ``commits``: headers and operations as they came; ``made``:
    what was asked for of new datasets. ``moved``: somebody else's commit has come meanwhile."""

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, bytes]] = {}
        self.commits: list[tuple[str, list[dict[str, Any]]]] = []
        self.made: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.moved = False
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self.file(whole=False)

            def do_GET(self) -> None:
                hub.asked.append(self.path)
                if not self.path.startswith("/api/datasets/"):
                    return self.file(whole=True)
                name = "/".join(self.path.partition("?")[0].split("/")[3:5])
                if name not in hub.datasets:
                    return self.say(404, {}, {"X-Error-Code": "RepoNotFound"})
                siblings = [
                    {"rfilename": file, "size": len(data)}
                    for file, data in hub.datasets[name].items()
                ]
                return self.say(200, {"id": name, "sha": SHA, "siblings": siblings})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else self.chunks()
                hub.asked.append(self.path)
                name = "/".join(self.path.split("/")[3:5])
                if self.path == "/api/repos/create":
                    asked = json.loads(body)
                    hub.made.append(asked)
                    name = f"{asked.get('organization', 'me')}/{asked['name']}"
                    hub.datasets[name] = {}
                    return self.say(200, {"url": f"{hub.url}/datasets/{name}"})
                if "/preupload/" in self.path:
                    files = [
                        {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                        for one in json.loads(body)["files"]
                    ]
                    return self.say(200, {"files": files})
                if hub.moved:
                    return self.say(412, {"error": "A commit has happened since"})
                lines = [json.loads(line) for line in body.decode().splitlines() if line]
                hub.commits.append((name, lines))
                for line in lines:
                    if line["key"] == "file":
                        data = base64.b64decode(line["value"]["content"])
                        hub.datasets[name][line["value"]["path"]] = data
                url = f"{hub.url}/datasets/{name}/commit/{SHA}"
                return self.say(200, {"commitUrl": url, "commitOid": SHA, "success": True})

            def chunks(self) -> bytes:
                found = b""
                while size := int(self.rfile.readline().strip() or b"0", 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found

            def file(self, whole: bool) -> None:
                _, _, *name, _, _, file = self.path.split("/", 6)
                data = hub.datasets.get("/".join(name), {}).get(file)
                if data is None:
                    return self.say(404, {}, {"X-Error-Code": "EntryNotFound"})
                self.send_response(200)
                self.send_header("ETag", f'"{file.replace("/", "-")}-{len(data)}"')
                self.send_header("X-Repo-Commit", SHA)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if whole:
                    self.wfile.write(data)
                return None

            def say(self, code: int, told: object, more: dict[str, str] | None = None) -> None:
                body = json.dumps(told).encode()
                self.send_response(code)
                for key, value in (more or {}).items():
                    self.send_header(key, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Serve no longer."""
        self.server.shutdown()
        self.server.server_close()
