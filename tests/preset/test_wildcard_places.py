"""Wildcards lie in several folders, and a file that cannot be read takes no other along."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.errors import BadPreset, StudioError
from studio.named_folders import keep
from studio.preset import choosing, wildcard_places
from studio.preset.variants import names, text_of
from studio.preset.wildcard_files import keep as write
from studio.preset.wildcard_files import text_of as written

Put = Callable[..., Path]


@pytest.fixture
def put(studio_home: Path) -> Put:
    """Writes a file of wildcards below the home."""

    def file(name: str, text: str, folder: str = "wildcards") -> Path:
        path = studio_home / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return file


def test_one_that_is_too_large_or_damaged_refuses_no_other(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "MAX_FILE_BYTES", 2**20)
    put("hat.txt", "cap\n")
    put("big.txt", "a\n" * 2**20)
    put("sub/big.json", json.dumps({"many": ["a" * 100] * 2**14}))
    assert text_of("{__hat__|__hat__}", 1) == "cap" and names() == ["hat"]
    for name, why in (("big", "'big' is larger than 1 MB"), ("cap", "no wildcard 'cap' in the")):
        with pytest.raises(BadPreset, match=why):
            text_of(f"__{name}__", 1)
    put("odd.yaml", "a: [x\n  b: }")
    put("sub/latin.yaml", "").write_bytes("tier: [schöne Katze]\n".encode("cp1252"))
    assert text_of("__hat__", 1) == "cap"
    with pytest.raises(
        BadPreset, match=r"no wildcard 'tier', but .(odd|latin)\.yaml., which cannot"
    ):
        text_of("__tier__", 1)


def test_more_files_than_are_read_are_said_where_one_is_missed(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "MAX_FILES", 2)
    for name in "abc":
        put(f"{name}.txt", name)
    assert text_of("__a__", 1) == "a" and names() == ["a", "b"]
    with pytest.raises(BadPreset, match="no wildcard 'c' among the files that are read"):
        text_of("__c__", 1)


def test_a_table_is_read_again_only_when_it_has_changed(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dynamicprompts.wildcards.collection import structured

    read: list[str] = []
    parse = structured.parse_structured_file
    monkeypatch.setattr(
        structured, "parse_structured_file", lambda path: read.append(path.name) or parse(path)
    )
    put("a.yaml", "cap: [red]\n")
    put("b.yaml", "shoe: [boot]\n")
    assert names() == ["cap", "shoe"]
    put("b.yaml", "shoe: [clog, boot]\n")
    put("hat.txt", "fez\n")
    assert names() == ["cap", "hat", "shoe"] and sorted(read) == ["a.yaml", "b.yaml", "b.yaml"]


def test_a_file_that_says_nothing_hides_no_other(put: Put, studio_home: Path) -> None:
    theirs = put("hat.txt", "fez\n", "webui/wildcards")
    keep([str(studio_home / "webui")])
    own = studio_home / "wildcards"
    own.mkdir()
    (own / "hat.txt").symlink_to(own / "nowhere")
    assert text_of("__hat__", 1) == "fez"
    (own / "hat.txt").unlink()
    put("hat.txt", "")
    with pytest.raises(BadPreset, match="holds no choice yet"):
        text_of("__hat__", 1)
    put("a.yaml", "hat: [from a table]\n")
    put("hat.txt", "mine\n")  # which the page shows and changes
    assert text_of("__hat__", 1) == written("hat").strip() == "mine" and theirs.is_file()


def test_a_shared_page_shows_nothing_of_its_hosts_other_folders(
    put: Put, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("hat.txt", "fez\n", "webui/wildcards")
    monkeypatch.setenv("STUDIO_MODELS", str(studio_home / "webui/models"))
    assert names() == []


def test_a_link_into_a_large_tree_is_not_followed_for_ever(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wildcard_places, "MOST_LISTED", 20)
    put("hat.txt", "fez\n")
    for number in range(30):
        put(f"deep/{number:02}.txt", "x")
    # One is a folder, and one hat.txt.
    assert names() == [*(f"deep/{number:02}" for number in range(18)), "hat"]
    with pytest.raises(BadPreset, match="no wildcard 'deep/29' among the files"):
        text_of("__deep/29__", 1)


@pytest.mark.parametrize(
    "named, below",
    [
        ("webui", "extensions/sd-dynamic-prompts/wildcards"),
        ("webui/models", "extensions/sd-dynamic-prompts/wildcards"),
        ("webui", "Data/Wildcards"),
        ("webui", "custom_nodes/impact/wildcards"),
        ("webui", "wildcards"),
    ],
)
def test_those_of_a_tools_folder_are_chosen_from_and_not_written(
    put: Put, studio_home: Path, named: str, below: str
) -> None:
    theirs = put("deep/shoe.txt", "boot\n", f"webui/{below}")
    put("hat.txt", "theirs\n", f"webui/{below}")
    put("hat.txt", "mine\n")
    (studio_home / "webui/models").mkdir(exist_ok=True)
    assert names() == ["hat"]
    keep([str(studio_home / named)])
    assert names() == ["deep/shoe", "hat"]
    assert text_of("__deep/shoe__ and __hat__", 1) == "boot and mine"
    for change in (written, lambda name: write(name, "clog")):
        with pytest.raises(StudioError, match="in another tool's folder; change it there"):
            change("deep/shoe")
    assert theirs.read_text() == "boot\n"


def test_linked_folders_are_looked_through_once(put: Put, studio_home: Path) -> None:
    put("shoe.txt", "boot\n", "elsewhere")
    folder = put("hat.txt", "cap\n").parent
    (folder / "more").symlink_to(studio_home / "elsewhere")
    (folder / "again").symlink_to(folder)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "inner").symlink_to(folder / "sub")
    put("sub/cap.txt", "blue\n")
    (folder / ".hidden").mkdir()
    put(".hidden/cap.txt", "x")
    assert names() == ["hat", "inner/cap", "more/shoe", "sub/cap"]
    assert text_of("__more/shoe__", 1) == "boot"
