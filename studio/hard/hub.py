"""A hub on this machine that serves one small model, slowly enough to be broken off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from studio.hard.models import NETWORK, PIPELINE, header
from studio.hard.mutation import json_text
from studio.library.download import HubModel

MODEL, REVISION = "somebody/small", "a" * 40
PIECE = 2048


def _files() -> dict[str, bytes]:
    noise = Random(7).randbytes(20_000)
    return {
        "model_index.json": json_text(PIPELINE),
        "unet/config.json": json_text({**NETWORK, "sample_size": 64}),
        "unet/diffusion_pytorch_model.safetensors": header("conv_in.weight") + noise,
        "vae/config.json": json_text({"block_out_channels": [1, 2, 3, 4], "scaling_factor": 0.18}),
        "vae/diffusion_pytorch_model.safetensors": header("x") + noise,
    }


class Hub:
    """Serves :func:`_files` as a hub serves a repository."""

    def __init__(self) -> None:
        self.files = _files()
        served = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self.answer(False)

            def do_GET(self) -> None:
                self.answer(True)

            def answer(self, whole: bool) -> None:
                name = self.path.partition(f"/resolve/{REVISION}/")[2]
                data = served.files.get(name, b"")
                self.send_response(200 if data else 404)
                self.send_header("ETag", f'"{name.replace("/", "-")}"')
                self.send_header("X-Repo-Commit", REVISION)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if whole:
                    with suppress(OSError):  # whoever was killed while listening
                        for start in range(0, len(data), PIECE):
                            self.wfile.write(data[start : start + PIECE])
                            time.sleep(0.002)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def model(self) -> HubModel:
        """What looking it up would give."""
        sizes = tuple((name, len(data)) for name, data in self.files.items())
        return HubModel(MODEL, REVISION, "", sizes)

    def same(self, folder: Path) -> bool:
        """Whether a folder holds every file, whole."""
        return all(
            (folder / name).is_file() and (folder / name).read_bytes() == data
            for name, data in self.files.items()
        )


@lru_cache(maxsize=1)
def hub() -> Hub:
    """The one of this process."""
    return Hub()


@contextmanager
def allowed() -> Iterator[None]:
    """Inside the ``with`` a hub may be asked: it is on this machine."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
