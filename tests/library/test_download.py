"""Fetching from a hub: one that runs here, on the loopback address."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.__main__ import main
from studio.errors import MissingModel, StudioError
from studio.library import Library
from studio.library.download import choose, download, look_up
from tests.support import tiny

NAME = "somebody/tiny-model"
SHA = "a" * 40
PIECE = 4096
UNET = "unet/diffusion_pytorch_model.safetensors"


class Hub:
    """A folder served as a hub serves a repository; ``broken`` is cut short, ``slow`` comes slowly."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken = self.slow = ""
        self.goes_on: Callable[[], bool] = lambda: True  # with what comes slowly
        self.fetched: list[str] = []
        self.ranges: list[str] = []  # which bytes were asked for, "" for all
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self.answer(False)

            def do_GET(self) -> None:
                if self.path.startswith(f"/api/models/{NAME}"):
                    body = json.dumps(hub.told()).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                else:
                    self.answer(True)

            def answer(self, whole: bool) -> None:
                prefix = f"/{NAME}/resolve/{SHA}/"
                file = hub.folder / self.path.removeprefix(prefix)
                if not self.path.startswith(prefix) or not file.is_file():
                    self.send_response(404)
                    self.send_header("X-Error-Code", "RepoNotFound")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return None
                data = file.read_bytes()
                self.send_response(200)
                for key, value in (
                    ("ETag", f'"{file.name}-{len(data)}"'),
                    ("X-Repo-Commit", SHA),
                    ("Content-Length", str(len(data))),
                ):
                    self.send_header(key, value)
                self.end_headers()
                if not whole:
                    return None
                hub.fetched.append(file.relative_to(hub.folder).as_posix())
                hub.ranges.append(self.headers.get("Range") or "")
                if hub.fetched[-1] == hub.slow:
                    return self.trickle(data)
                self.wfile.write(data[: 10 if hub.fetched[-1] == hub.broken else len(data)])
                return None

            def trickle(self, data: bytes) -> None:
                with suppress(OSError):  # whoever stops listening
                    for start in range(0, len(data), PIECE):
                        self.wfile.write(data[start : start + PIECE])
                        time.sleep(0.02)
                        while not hub.goes_on():
                            time.sleep(0.02)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self) -> dict:
        files = [f for f in sorted(self.folder.rglob("*")) if f.is_file()]
        return {
            "id": NAME,
            "modelId": NAME,
            "sha": SHA,
            "tags": ["license:openrail"],
            "siblings": [
                {"rfilename": f.relative_to(self.folder).as_posix(), "size": f.stat().st_size}
                for f in files
            ],
        }


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    folder = tmp_path / "hub"
    tiny.pipeline(folder)
    (folder / "model.ckpt").write_bytes(b"\x80\x04")
    (folder / "whole.safetensors").write_bytes(b"x" * 50)
    served = Hub(folder)
    yield served
    served.server.shutdown()
    served.server.server_close()


def test_a_pipeline_comes_under_its_own_id(hub: Hub, studio_home: Path) -> None:
    model = look_up(NAME, hub.url)
    assert (model.id, model.license, model.revision) == (NAME, "openrail", SHA)
    seen = list(download(model, hub.url))
    assert (seen[-1].done, seen[-1].total) == (model.bytes, model.bytes)
    assert [s.file for s in seen if s.whole] == [name for name, _ in model.files]
    entry = Library((studio_home / "models",))[NAME]
    assert entry.kind == "base" and entry.path == str(studio_home / "models" / NAME)
    assert not any(name.endswith((".ckpt", "whole.safetensors")) for name in hub.fetched)
    before = len(hub.fetched)
    list(download(model, hub.url))
    assert len(hub.fetched) == before  # what is there is not fetched again


def test_after_a_break_in_a_file_whole_files_are_kept_and_that_one_starts_again(
    hub: Hub, studio_home: Path
) -> None:
    model = look_up(NAME, hub.url)
    hub.broken = UNET
    with pytest.raises(MissingModel, match=r"stopped in unet/.* starts this one again"):
        list(download(model, hub.url))
    home = studio_home / "models" / NAME
    assert not (home / UNET).exists() and not list(home.rglob("*.incomplete"))
    hub.broken = ""
    fetched = len(hub.fetched)
    list(download(model, hub.url))
    again = hub.fetched[fetched:]
    assert "model_index.json" not in again and again.count(UNET) == 1
    assert hub.ranges[-len(again) :] == [""] * len(again)  # asked for from its first byte
    assert (home / UNET).read_bytes() == (hub.folder / UNET).read_bytes()
    assert Library((studio_home / "models",))[NAME].kind == "base"


def test_half_of_a_download_is_no_model(hub: Hub, studio_home: Path) -> None:
    model = look_up(NAME, hub.url)
    running = download(model, hub.url)
    next(progress for progress in running if progress.whole and progress.file == UNET)
    running.close()  # type: ignore[attr-defined]
    library = Library((studio_home / "models",))
    (refused,) = [entry for entry in library.refused() if entry.id == NAME]
    assert "has not come whole" in refused.problem
    assert NAME not in [entry.id for entry in library.entries()]
    for progress in download(model, hub.url):
        if progress.whole and progress.file == model.files[-1][0]:
            break  # whoever stops listening at the last word has it whole
    assert Library((studio_home / "models",))[NAME].kind == "base"


def test_it_tells_within_a_file_and_stops_within_one(
    hub: Hub, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", PIECE)
    monkeypatch.setattr("studio.library.transfer.LOOK_SECONDS", 0.05)
    model, hub.slow = look_up(NAME, hub.url), UNET
    hub.goes_on = lambda: False
    come = studio_home / "models" / NAME / UNET
    running = download(model, hub.url)
    seen = next(p for p in running if p.file == UNET)
    before = sum(size for name, size in model.files[: [n for n, _ in model.files].index(UNET)])
    assert not seen.whole and before < seen.done < before + dict(model.files)[UNET]
    hub.goes_on = lambda: running.gi_running  # type: ignore[attr-defined]
    running.close()  # type: ignore[attr-defined]
    assert not come.exists() and not list((studio_home / "models" / NAME).rglob("*.incomplete"))
    hub.slow = ""
    done = [p.done for p in download(model, hub.url)]
    assert done == sorted(done) and done[-1] == model.bytes
    assert come.read_bytes() == (hub.folder / UNET).read_bytes()


def test_which_files_are_wanted() -> None:
    pipeline = [
        "model_index.json",
        "README.md",
        "v1-5.safetensors",
        "v1-5.ckpt",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "vae/diffusion_pytorch_model.fp16.safetensors",
        "safety_checker/model.safetensors",
        "tokenizer/merges.txt",
        "a/b/c.safetensors",
        ".git/x.json",
    ]
    assert choose(pipeline) == [
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
        "tokenizer/merges.txt",
    ]
    assert choose(["style.safetensors", "style.bin", "card.json"]) == [
        "style.safetensors",
        "card.json",
    ]


def test_what_cannot_be_had_says_so(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="'nobody/nothing' is not on the hub"):
        look_up("nobody/nothing", hub.url)
    with pytest.raises(MissingModel, match="the hub cannot be reached"):
        look_up(NAME, "http://127.0.0.1:9")
    with pytest.raises(StudioError, match="no hub id"):
        look_up("../etc", hub.url)
    for file in hub.folder.rglob("*.safetensors"):
        file.unlink()
    with pytest.raises(MissingModel, match="pickles are not fetched"):
        look_up(NAME, hub.url)


def test_offline_the_verb_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["download", NAME]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "HF_HUB_OFFLINE is set" in told
