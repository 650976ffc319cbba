"""A file of civitai.com on its way: what is kept, what is refused, and what of a person's own stays."""

# ruff: noqa: F811 - the fixtures are imported

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from studio.errors import MissingModel, StudioError
from studio.library import Library, civitai_arrival, civitai_files
from studio.library.civitai import look_up
from studio.library.download import download
from tests.library.test_civitai import LINK, lora, site  # noqa: F401
from tests.support.model_site import VERSION, Site, told


def changed(site: Site, **more: Any) -> None:
    site.info["files"] = [told("ink style.safetensors", site.data, **more)]


@pytest.mark.parametrize("sha", [None, "none", "", "AB"])
def test_a_hash_that_is_none_is_not_compared(site: Site, lora: bytes, sha: str | None) -> None:
    changed(site, hashes={"SHA256": sha})
    model = look_up(LINK, site.url)
    assert model.sha256 == ""
    list(download(model))
    assert model.path.read_bytes() == lora


def test_a_part_of_another_version_is_not_gone_on_with(site: Site, lora: bytes) -> None:
    changed(site, hashes=None)
    old = look_up(LINK, site.url)
    old.part.parent.mkdir(parents=True)
    old.part.write_bytes(b"?" * 100)
    site.info["files"][0]["id"] = 8
    model = look_up(LINK, site.url)
    list(download(model))
    assert model.path.read_bytes() == lora and old.part.read_bytes() == b"?" * 100


@pytest.mark.parametrize("length", [1, 100, -1, 0, 5000])
@pytest.mark.parametrize("hashed", [True, False])
def test_a_wrong_part_is_fetched_once_more_from_its_beginning(
    site: Site,
    lora: bytes,
    length: int,
    hashed: bool,
) -> None:
    if not hashed:
        changed(site, hashes=None)
    model = look_up(LINK, site.url)
    model.part.parent.mkdir(parents=True)
    model.part.write_bytes(b"?" * (length if 0 < length <= 100 else len(lora) + length))
    list(download(model))
    assert model.path.read_bytes() == lora
    assert not model.part.exists()


def test_one_file_is_fetched_once_at_a_time(
    site: Site,
    lora: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(civitai_arrival, "LOCK_SECONDS", 0.1)
    site.held, model = threading.Event(), look_up(LINK, site.url)
    running = download(model)
    next(running)
    with pytest.raises(StudioError, match="loras/ink_style: is being fetched already"):
        list(download(look_up(LINK, site.url)))
    site.held.set()
    list(running)
    assert model.path.read_bytes() == lora


def test_a_stop_does_not_wait_for_a_network_that_stalls(
    site: Site,
    lora: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.library.transfer.STOP_SECONDS", 0.05)
    site.held, model = threading.Event(), look_up(LINK, site.url)
    running = download(model)
    next(running)
    began = time.monotonic()
    running.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 20  # of the 30 s for which a network may stall
    site.held.set()
    list(download(model))  # which waits until the stopped one has let go
    assert model.path.read_bytes() == lora
    assert site.asked[-1][2] == f"bytes={len(lora) // 2}-"  # nothing was written after the stop


def test_a_persons_own_files_keep_their_names(site: Site, lora: bytes, studio_home: Path) -> None:
    home = studio_home / "models" / "loras"
    home.mkdir(parents=True)
    for name in ("ink_style", f"ink_style-{VERSION}"):
        (home / f"{name}.safetensors").write_bytes(name.encode())
    model = look_up(LINK, site.url)
    assert model.id == f"loras/ink_style-{VERSION}-2"
    model.path.write_bytes(b"come meanwhile")
    assert list(download(model))[-1].id == f"loras/ink_style-{VERSION}-3"
    assert (home / f"ink_style-{VERSION}-3.safetensors").read_bytes() == lora
    assert model.path.read_bytes() == b"come meanwhile"
    assert (home / "ink_style.safetensors").read_bytes() == b"ink_style"
    again = look_up(LINK, site.url)
    before = len(site.asked)
    assert list(download(again))[-1].id == f"loras/ink_style-{VERSION}-3"
    assert len(site.asked) == before


@pytest.mark.parametrize(
    "own", ["ink_style.sft", "ink_style.pt", "ink_style.civitai.info", "Ink_Style/config.json"]
)
def test_whatever_has_the_name_keeps_it(
    site: Site, lora: bytes, studio_home: Path, own: str
) -> None:
    held = studio_home / "models" / "loras" / own
    held.parent.mkdir(parents=True)
    held.write_bytes(b"mine")
    *_, last = download(look_up(LINK, site.url))
    assert last.id == f"loras/ink_style-{VERSION}"
    assert held.read_bytes() == b"mine"


def test_a_model_of_another_tool_s_folder_keeps_its_id(
    site: Site, lora: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "tool" / "loras" / "ink_style.safetensors"
    other.parent.mkdir(parents=True)
    other.write_bytes(lora)
    monkeypatch.setenv("STUDIO_MODELS", str(tmp_path / "tool"))
    assert Library()["loras/ink_style"].path == str(other)
    *_, last = download(look_up(LINK, site.url))
    assert last.id == f"loras/ink_style-{VERSION}"
    assert Library()["loras/ink_style"].path == str(other)


@pytest.mark.parametrize("hashed", [True, False])
def test_a_file_of_its_size_is_not_taken_for_it(
    site: Site,
    lora: bytes,
    studio_home: Path,
    hashed: bool,
) -> None:
    if not hashed:
        changed(site, hashes=None)
    own = studio_home / "models" / "loras" / "ink_style.safetensors"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"?" * len(lora))
    own.with_suffix(civitai_files.INFO).write_text('{"id": 5}')
    *_, last = download(look_up(LINK, site.url))
    assert last.id == f"loras/ink_style-{VERSION}"
    assert own.read_bytes() == b"?" * len(lora)
    assert own.with_suffix(civitai_files.INFO).read_text() == '{"id": 5}'
    before = len(site.asked)
    assert list(download(look_up(LINK, site.url)))[-1].id == last.id  # known by what lies beside it
    assert len(site.asked) == before


def test_what_a_person_wrote_beside_a_model_stays(
    site: Site, lora: bytes, studio_home: Path
) -> None:
    own = studio_home / "models" / "loras" / "ink_style.safetensors"
    own.parent.mkdir(parents=True)
    own.write_bytes(lora)
    own.with_suffix(civitai_files.INFO).write_text("mine")
    list(download(look_up(LINK, site.url)))
    assert own.with_suffix(civitai_files.INFO).read_text() == "mine" and not site.asked


@pytest.mark.parametrize(
    ("data", "more", "said"),
    [
        (b"?" * 3000, {"hashes": None}, r"came damaged, and was removed \(no safetensors header\)"),
        (b"?" * 9000, {"hashes": None, "sizeKB": 3}, "another size than the site says"),
        (b"?" * 2**22, {"hashes": None, "sizeKB": 3}, "larger than the site says"),
        (b"?" * 2**22, {"sizeKB": 3}, "larger than the site says"),
    ],
)
def test_what_the_site_does_not_say_is_removed(
    site: Site,
    data: bytes,
    more: dict[str, Any],
    said: str,
) -> None:
    site.data = data
    changed(site, **more)
    model = look_up(LINK, site.url)
    with pytest.raises(MissingModel, match=said):
        list(download(model))
    assert not list(model.path.parent.iterdir())


def test_without_a_size_and_a_hash_nothing_is_fetched(site: Site, studio_home: Path) -> None:
    changed(site, sizeKB=None, hashes=None)
    with pytest.raises(MissingModel, match="says neither its size nor its hash"):
        look_up(LINK, site.url)
    changed(site, sizeKB=None)
    for _ in range(2):
        list(download(look_up(LINK, site.url)))
    assert len(list((studio_home / "models" / "loras").glob("*.safetensors"))) == 1


def test_a_file_is_read_once_and_it_is_said(
    site: Site,
    lora: bytes,
    studio_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("gradio")
    from studio.ui.library import fetch

    read: list[str] = []
    real = hashlib.sha256

    class Slow:
        """A hash that is told of each piece only after the page has looked."""

        def __init__(self) -> None:
            self.inner = real()

        def update(self, piece: bytes) -> None:
            read.append(str(len(piece)))
            time.sleep(0.2)
            self.inner.update(piece)

        def hexdigest(self) -> str:
            return self.inner.hexdigest()

    list(download(look_up(LINK, site.url)))
    monkeypatch.setattr("studio.library.transfer.LOOK_SECONDS", 0.02)
    monkeypatch.setattr(civitai_arrival.hashlib, "sha256", Slow)
    lines = [bar for bar, _ in fetch.fetched(LINK, site.url)]
    assert any("checking ink_style.safetensors" in line for line in lines)
    assert "loras/ink_style is in the library" in lines[-1] and len(read) == 1
    read.clear()
    own = studio_home / "models" / "loras" / "ink_style.safetensors"
    own.write_bytes(lora[:-2000])  # of another size: nothing of it is read
    fetch.looked_up(LINK, site.url)
    assert not read
    assert json.loads(own.with_suffix(civitai_files.INFO).read_text())["id"] == VERSION
