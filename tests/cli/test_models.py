"""The verb models: folders are named for good, hashes are computed where they are asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from studio.__main__ import main
from studio.errors import StudioError
from studio.named_folders import keep, kept


@pytest.fixture
def folder(tmp_path: Path, studio_home: Path) -> Path:
    folder = tmp_path / "webui"
    (folder / "models/Lora").mkdir(parents=True)
    (folder / "webui.py").touch()
    ink = {"lora_unet_x.lora_down.weight": torch.ones(1, 768)}
    save_file(ink, folder / "models/Lora/ink.safetensors")
    return folder


def lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert main(["models", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_is_added_listed_and_removed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = lines(capsys, "--add", str(folder))
    assert one == {"folder": str(folder), "tool": "AUTOMATIC1111 / Forge", "problem": ""}
    assert "Lora/ink" in {line["id"] for line in lines(capsys)}
    assert lines(capsys, "--folders") == [one]
    assert lines(capsys, "--remove", str(folder)) == []
    assert "Lora/ink" not in {line["id"] for line in lines(capsys)}


def test_hashes_on_demand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep([str(folder)])
    by_id = {line["id"]: line for line in lines(capsys)}
    assert by_id["Lora/ink"]["hashes"] == []
    by_id = {line["id"]: line for line in lines(capsys, "--hashes")}
    assert len(by_id["Lora/ink"]["hashes"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given", ["none/here", "/no/such/folder", "a\0b", "x" * 5000, "~nobody0/x", "/", "/tmp/.."]
)
def test_a_folder_that_is_none_is_refused(
    given: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep([str(folder)])
    assert main(["models", "--add", given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("folders: ") and error.count("\n") == 1
    assert kept() == (folder,)


def test_all_folders_that_cannot_be_are_named_at_once(folder: Path, studio_home: Path) -> None:
    with pytest.raises(StudioError, match=r"'/none' is not there.* · 'models' is no full path"):
        keep(["/none", str(folder), "models"])
    assert kept() == ()


def test_a_damaged_list_of_folders_is_none(folder: Path, studio_home: Path) -> None:
    for text in ("{", "[]", '{"folders": 3}', '{"folders": [1, ""]}', "[" * 9999):
        (studio_home / "folders.json").write_text(text)
        assert kept() == ()
