"""The settings on the page: what is shown to whom, and who may change what."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio import settings
from studio.errors import StudioError
from studio.ui.page import build
from studio.ui.serve import _for_its_owner, flags
from studio.ui.settings import view
from studio.ui.space import SPACE, Limits

VISITED = Limits(local=False)


@pytest.fixture
def home(studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for one in settings.SETTINGS.values():
        if one.variable:
            monkeypatch.delenv(one.variable, raising=False)
    return studio_home


def rows(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for group in value["groups"] for row in group["settings"]}


def test_every_setting_is_shown_with_its_value_its_origin_and_what_waits(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = view.at_start()
    monkeypatch.setenv("STUDIO_COMPILE", "1")
    view.changed("precision", "bfloat16", Limits())
    view.changed("theme", "dark", Limits())
    view.changed("device", "cuda:3", Limits())
    shown = rows(view.shown(Limits(), begun))
    assert set(shown) == set(settings.SETTINGS)
    said = {name: (row["value"], row["origin"], row["waits"]) for name, row in shown.items()}
    assert said["precision"] == ("bfloat16", "file", True)
    assert said["compile"] == (True, "environment", True)
    assert said["theme"] == ("dark", "file", False)  # at once
    assert said["attention"] == ("sdpa", "default", False)
    assert shown["device"]["choices"][-1] == "cuda:3"
    view.changed("precision", None, Limits())
    assert not rows(view.shown(Limits(), begun))["precision"]["waits"]
    assert json.loads((home / "settings.json").read_text()) == {"theme": "dark", "device": "cuda:3"}


def test_file_names_are_shown_by_an_example(home: Path) -> None:
    begun, limits = view.at_start(), Limits()
    row = rows(view.shown(limits, begun))["file_names"]
    assert (row["kind"], row["example"]) == ("text", "")
    view.changed("file_names", "[date]/[seed]-[prompt]", limits)
    row = rows(view.shown(limits, begun))["file_names"]
    assert row["example"] == "Such as 2026-11-29/7-a-red-apple.png"
    assert "file_names" in rows(view.shown(VISITED, begun))  # a pattern is no folder of the owner's


def test_a_folder_says_what_becomes_of_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, limits = view.at_start(), Limits()
    view.changed("outputs", str(tmp_path / "new" / "pictures"), limits)
    said = rows(view.shown(limits, begun))["outputs"]["note"]
    assert said == f"Not there yet: it will be made in {tmp_path}."
    refused = ("outputs", "/x", "nothing can be written in /x")
    assert not rows(view.shown(limits, begun, refused))["outputs"]["note"]  # of another folder
    (tmp_path / "new" / "pictures").mkdir(parents=True)
    assert rows(view.shown(limits, begun))["outputs"]["note"] == ""
    (tmp_path / "new" / "pictures").rmdir()
    (tmp_path / "new" / "pictures").write_text("in the way")
    with pytest.raises(StudioError, match="is no folder"):
        view.changed("outputs", str(tmp_path / "new" / "pictures" / "more"), limits)
    view.changed("outputs", None, limits)
    assert rows(view.shown(limits, begun))["outputs"]["note"] == ""

    def full(**_: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(StudioError, match=r"nothing can be written in .* \(Read-only"):
        view.changed("outputs", str(tmp_path / "pictures"), limits)
    monkeypatch.setenv("STUDIO_OUTPUTS", str(tmp_path))
    said = rows(view.shown(limits, begun))["outputs"]["note"]
    assert said.startswith("No picture can be kept there: nothing can be written in")


def test_what_the_machine_has_not_is_said_where_it_was_chosen(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.changed("device", "cuda", Limits())
    view.changed("attention", "sdpa", Limits())
    begun = view.at_start()

    def notes() -> dict[str, str]:
        groups = view.shown(Limits(), begun)["groups"]
        return {row["name"]: row["note"] for group in groups for row in group["settings"]}

    assert notes()["device"] == ""  # nothing runs yet
    used = {"device": "cpu", "precision": "float32", "attention": "sdpa"}
    monkeypatch.setattr(view.host, "in_use", lambda: used)
    assert notes()["device"] == "There is no cuda here: cpu is used instead"
    assert notes()["attention"] == notes()["precision"] == ""
    view.changed("device", None, Limits())
    begun = view.at_start()
    for name, value in (("device", "cuda:7"), ("attention", "xformers")):
        view.changed(name, value, Limits())
        assert notes()[name] == ""  # nothing runs yet, so that nobody knows
    monkeypatch.setattr(view.host, "_engine", object())
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert notes()["device"] == "There is no cuda:7 here: cpu is used instead"  # at once
    assert notes()["attention"] == "There is no xformers here: sdpa is used instead"
    view.changed("device", "cpu", Limits())
    assert notes()["device"] == ""
    monkeypatch.setattr(view.host, "in_use", lambda: used | {"device": "cuda:0"})
    assert notes()["device"] == ""


def test_a_bad_file_is_said_in_one_line_and_the_page_is_built(home: Path) -> None:
    (home / "settings.json").write_text("{")
    shown = view.shown(Limits(), view.at_start())
    assert len(shown["notes"]) == 1 and shown["notes"][0].startswith("settings.json: is no JSON")
    assert view.preferences(shared=False)["theme"] == "system"
    build(Limits())


def test_a_page_that_others_come_to_changes_nothing_and_says_no_path(home: Path) -> None:
    settings.change("theme", "light")
    before = (home / "settings.json").read_bytes()
    shown = view.shown(VISITED, view.at_start())
    assert not shown["editable"] and shown["folders"] == []
    assert str(home) not in json.dumps(shown) and str(Path.home()) not in json.dumps(shown)
    for name, value in (("theme", "dark"), ("theme", None)):
        with pytest.raises(StudioError, match="also for others"):
            view.changed(name, value, VISITED)
    assert (home / "settings.json").read_bytes() == before
    mine = view.shown(Limits(), view.at_start())
    assert {one["title"]: one["origin"] for one in mine["folders"]}["Home"] == "STUDIO_HOME"
    lie = [one["path"] for one in mine["folders"]]
    home = lie[0]
    for name in ("outputs", "training", "sweeps", "tune"):  # whatever the page makes has its place
        assert any(Path(path) == Path(home) / name for path in lie), name


def test_a_shared_page_has_none_and_goes_by_the_defaults(home: Path) -> None:
    settings.change("theme", "dark")
    assert view.preferences(shared=True)["theme"] == "system"
    parts = {
        limits: {c["props"].get("elem_id") for c in build(limits).config["components"]}
        for limits in (Limits(), VISITED, SPACE)
    }
    assert ["gs-settings" in parts[one] for one in (Limits(), VISITED, SPACE)] == [1, 1, 0]
    # under the owner's name nobody else publishes
    assert ["gs-publishing" in parts[one] for one in (Limits(), VISITED, SPACE)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("given", "own"),
    [
        ([], True),
        (["--port", "7000", "--open"], True),
        (["--auth", "me:secret"], False),
        (["--root-path", "/studio"], False),
        (["--allow-host", "studio.example.org"], False),
        (["--space"], False),
    ],
)
def test_whose_page_it_is(given: list[str], own: bool) -> None:
    options: argparse.Namespace = flags(given)
    assert _for_its_owner(options, "127.0.0.1") is own
    assert not _for_its_owner(options, "0.0.0.0") and not _for_its_owner(options, "192.168.0.4")
