"""Galleries that are fetched: a Git repository and a dataset of a hub, both on this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.share import gallery
from studio.share.gallery import dataset, git
from tests.support.dataset_hub import DatasetHub

PRESET = json.dumps({"name": "Cat", "rows": [{"prompt": "a cat"}]})
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetHub]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    served = DatasetHub()
    yield served
    served.close()


def committed(folder: Path, message: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for words in (("add", "-A"), (*who, "commit", "-q", "-m", message)):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "presets"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "cat.json").write_text(PRESET)
    Image.new("RGB", (8, 8)).save(folder / "cat.webp")
    (folder / "run.py").write_text("print('no part of a gallery')")
    (folder / "secret.json").symlink_to("/etc/hostname")
    committed(folder, "first")
    return folder


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("hub:me/presets", "hub", "hub:me/presets"),
        ("https://huggingface.co/datasets/me/presets/tree/main", "hub", "hub:me/presets"),
        ("https://example.org/me/presets.git", "git", "https://example.org/me/presets.git"),
        ("git@example.org:me/presets.git", "git", "git@example.org:me/presets.git"),
    ],
)
def test_what_a_person_may_name(text: str, kind: str, name: str) -> None:
    assert gallery.source_of(f" {text} ") == gallery.Source(kind, name)  # type: ignore[arg-type]  # one of three


@pytest.mark.parametrize(
    "text",
    ["", "hub:../x", "--upload-pack=x", "ext::sh -c id", "/nowhere/at/all", "me/presets", "a\0b"],
)
def test_nothing_else_is_a_gallery(text: str) -> None:
    with pytest.raises(StudioError, match=r"gallery: .*hub:OWNER/NAME"):
        gallery.source_of(text)


def test_an_address_is_not_kept_with_a_password() -> None:
    with pytest.raises(StudioError, match="without its password") as caught:
        gallery.source_of("https://me:secret@example.org/x.git")
    assert "secret" not in str(caught.value)


@needs_git
def test_a_repository_is_fetched_when_asked_for_and_again_when_asked_again(
    repository: Path, studio_home: Path
) -> None:
    source = gallery.source_of(f"file://{repository}")
    assert not (studio_home / "cache").exists()
    folder = gallery.opened(source)
    items, _ = gallery.items_of(folder)
    assert {one.id: bool(one.problem) for one in items} == {"cat.json": False, "secret.json": True}
    assert not (folder / "secret.json").is_symlink() and not (folder / "run.py").exists()
    (repository / "dog.json").write_text(PRESET)
    committed(repository, "second")
    assert not (gallery.opened(source) / "dog.json").exists()
    assert (gallery.opened(source, fresh=True) / "dog.json").is_file()
    shutil.rmtree(repository)
    with pytest.raises(StudioError, match="git cannot fetch it: "):
        gallery.opened(source, fresh=True)
    assert (source.folder / "dog.json").is_file()  # what was here stays
    assert [path.name for path in source.folder.parent.iterdir()] == [source.folder.name]


@needs_git
@pytest.mark.parametrize("name", ["of a friend.git", "50%41 off.git"])
def test_a_bare_repository_is_fetched_by_its_path_too(
    repository: Path, tmp_path: Path, studio_home: Path, name: str
) -> None:
    bare = tmp_path / name
    subprocess.run(["git", "clone", "-q", "--bare", str(repository), str(bare)], check=True)
    source = gallery.source_of(str(bare))
    assert source == gallery.source_of(f"file://{str(bare).replace('%', '%25')}")
    items, _ = gallery.items_of(gallery.opened(source))
    assert "cat.json" in {one.id for one in items}
    assert gallery.source_of(str(repository)).kind == "folder"


def test_without_git_or_in_vain_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git.shutil, "which", lambda _: None)
    with pytest.raises(StudioError, match="git is not installed"):
        git.clone("file:///x", tmp_path / "x")


def test_a_dataset_is_fetched_without_what_a_gallery_cannot_use(
    hub: DatasetHub, studio_home: Path
) -> None:
    hub.datasets["me/presets"] = {
        "cat.json": PRESET.encode(),
        "cat.webp": b"a picture",
        "lone.png": b"not beside a preset",
        "data.parquet": b"x" * 1000,
        ".hidden/x.json": PRESET.encode(),
    }
    folder = gallery.opened(gallery.source_of("hub:me/presets"), endpoint=hub.url)
    there = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    assert sorted(there) == ["cat.json", "cat.webp"]
    assert (folder / "cat.json").read_text() == PRESET
    asked = len(hub.asked)
    assert gallery.opened(gallery.source_of("hub:me/presets"), endpoint=hub.url) == folder
    assert len(hub.asked) == asked  # it is here; nothing is asked
    with pytest.raises(StudioError, match="'me/none' is not on the hub, or is private"):
        gallery.opened(gallery.source_of("hub:me/none"), endpoint=hub.url)


def test_more_than_a_gallery_holds_is_not_fetched() -> None:
    with pytest.raises(StudioError, match=r"2001 files of .* at most 2000"):
        dataset.wanted({f"{number}.json": 1 for number in range(2001)})
    assert dataset.wanted({"a.json": 2**30, "b.json": 1, "b.png": 2**30}) == ["b.json"]


def test_offline_and_on_a_shared_page_nothing_is_asked(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = gallery.source_of("hub:me/presets")
    with pytest.raises(StudioError, match="HF_HUB_OFFLINE is set"):
        gallery.opened(source)
    monkeypatch.setattr("studio.library.hub._closed", True)
    for one in (source, gallery.source_of("file:///x")):
        with pytest.raises(StudioError, match="a shared page fetches nothing"):
            gallery.opened(one)
