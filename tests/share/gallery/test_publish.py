"""Publishing: exactly what was looked at goes out, and nothing of this machine by accident."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.__main__ import main
from studio.errors import StudioError
from studio.images import store
from studio.library import Library
from studio.preset import validate
from studio.share import gallery, save_image
from tests.share.gallery.test_sources import hub  # noqa: F401
from tests.support import tiny
from tests.support.dataset_hub import SHA, DatasetHub

PLAIN = validate({"name": "Cat", "rows": [{"prompt": "a cat"}]})


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def picture(tmp_path: Path) -> Path:
    """A picture as the studio saves it: with its preset inside."""
    return save_image(Image.new("RGB", (600, 300), "green"), PLAIN, tmp_path / "made")


def test_what_belongs_to_this_machine_is_left_out_or_named(studio_home: Path) -> None:
    image = store(Image.fromarray(np.full((32, 32, 3), 9, np.uint8)))
    tiny.pipeline(studio_home / "models" / "mine" / "base")
    preset = validate(
        {
            "name": "Everything",
            "description": "from /home/anna/pictures/cat.png",
            "base": "mine/base",
            "vae": "starter/fine",
            "rows": [
                {"prompt": "a __hat__", "control": {"type": "canny", "image": image}},
                {
                    "model": {"lora": "/home/anna/loras/ink.safetensors"},
                    "prompt": "C:\\Users\\anna\\x",
                },
                {"model": "owner/finetune", "prompt": "and/or https://example.org/home/x 3/4"},
                {"enabled": False, "model": "..\\..\\secret\\m.safetensors"},
            ],
            "init": {"image": image},
        }
    )
    draft = gallery.drafted(preset, None, Library())
    text = draft.json.decode()
    assert image not in text and "loras/ink" not in text and "secret" not in text
    sent = json.loads(text)
    assert sent["rows"][1]["model"]["lora"] == "ink.safetensors" and "init" not in sent
    named = {warning.partition(": ")[0]: warning for warning in draft.warnings}
    assert set(named) == {
        "rows.0.control.image",
        "init.image",
        "rows.1.model.lora",
        "rows.3.model",
        "base",
        "rows.1.model",
        "description",
        "rows.0.prompt",
        "rows.1.prompt",
    }
    assert "'mine/base' is of this library" in named["base"]
    assert (
        "/home/anna/pictures/cat.png" in named["description"] and "'hat'" in named["rows.0.prompt"]
    )
    assert gallery.drafted(PLAIN, None, Library()).warnings == ()


def test_the_picture_is_small_and_says_nothing_else(tmp_path: Path, studio_home: Path) -> None:
    made = picture(tmp_path)
    assert b"a cat" in made.read_bytes()
    draft = gallery.drafted(PLAIN, made, Library())
    assert [name for name, _ in draft.files("cat")] == ["cat.json", "cat.webp"]
    (tmp_path / "out.webp").write_bytes(draft.picture)
    with Image.open(tmp_path / "out.webp") as small:
        assert small.size == (256, 128) and not small.getexif() and not small.info.get("xmp")
    assert b"cat" not in draft.picture
    with pytest.raises(StudioError, match="name: give the preset a name"):
        gallery.drafted(validate({"rows": [{"prompt": "x"}]}), None, Library())


def test_a_folder_gets_both_files_and_loses_none(
    tmp_path: Path, target: Path, studio_home: Path
) -> None:
    (target / "cat.webp").write_bytes(b"somebody's")
    draft = gallery.drafted(PLAIN, picture(tmp_path), Library())
    place = gallery.target_of(draft, str(target))
    assert "becomes cat-2.json" in place.note and len(list(target.iterdir())) == 1
    done = gallery.published(draft, place)
    assert done.files == ("cat-2.json", "cat-2.webp")
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {
        "cat.webp": b"somebody's",
        "cat-2.json": draft.json,
        "cat-2.webp": draft.picture,
    }
    again = gallery.target_of(draft, str(target))
    assert again.there and gallery.published(draft, again).files == ()
    items, _ = gallery.items_of(target)  # what goes out comes back
    assert items[0].preset == PLAIN


@pytest.mark.parametrize("text", ["", "me/presets", "/nowhere/at/all", "hub:x"])
def test_what_is_no_target_is_refused_by_what_publishing_takes(text: str) -> None:
    draft = gallery.drafted(PLAIN, None, Library())
    with pytest.raises(StudioError) as caught:
        gallery.target_of(draft, text)
    said = str(caught.value)
    assert said.startswith("to: ") and "hub:OWNER/NAME" in said and "Git" not in said
    with pytest.raises(StudioError, match=r"^to: publish to a clone of the repository"):
        gallery.target_of(draft, "https://example.org/me/presets.git")


def test_a_dataset_gets_what_was_looked_at_in_one_commit(
    hub: DatasetHub,  # noqa: F811
    tmp_path: Path,
    studio_home: Path,
) -> None:
    hub.datasets["me/presets"] = {"cat.json": b"somebody's"}
    draft = gallery.drafted(PLAIN, picture(tmp_path), Library())
    place = gallery.target_of(draft, "hub:me/presets", hub.url)
    assert place.stem == "cat-2" and not hub.commits
    done = gallery.published(draft, place, hub.url)
    assert done.files == ("cat-2.json", "cat-2.webp") and hub.url in done.place
    ((name, operations),) = hub.commits
    header, *files = operations
    assert name == "me/presets" and header["value"]["parentCommit"] == SHA
    sent = {one["value"]["path"]: base64.b64decode(one["value"]["content"]) for one in files}
    assert sent == {"cat-2.json": draft.json, "cat-2.webp": draft.picture}
    assert hub.datasets["me/presets"]["cat.json"] == b"somebody's" and not hub.made


def test_a_new_dataset_is_told_of_and_made_private(
    hub: DatasetHub,  # noqa: F811
    studio_home: Path,
) -> None:
    draft = gallery.drafted(PLAIN, None, Library())
    place = gallery.target_of(draft, "hub:me/new", hub.url)
    assert "a new dataset me/new is made" in place.note and not hub.made
    gallery.published(draft, place, hub.url)
    (asked,) = hub.made
    assert asked["type"] == "dataset" and asked["name"] == "new"
    assert asked.get("visibility") == "private" or asked.get("private")  # by the library's version
    assert hub.datasets["me/new"] == {"cat.json": draft.json}


def test_a_dataset_that_has_changed_meanwhile_is_not_written(
    hub: DatasetHub,  # noqa: F811
    studio_home: Path,
) -> None:
    hub.datasets["me/presets"] = {}
    draft = gallery.drafted(PLAIN, None, Library())
    place = gallery.target_of(draft, "hub:me/presets", hub.url)
    hub.moved = True
    with pytest.raises(StudioError, match="somebody has changed it"):
        gallery.published(draft, place, hub.url)


def test_the_command_line_shows_first_and_publishes_when_told(
    target: Path, studio_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(PLAIN.to_json())
    Image.new("RGB", (64, 64), "red").save(tmp_path / "mine.png")
    asked = ["gallery", "publish", str(file), "--to", str(target)]
    assert main(asked) == 0
    printed = capsys.readouterr()
    looked = [json.loads(line) for line in printed.out.splitlines()]
    assert [one["file"] for one in looked] == ["cat.json", "cat.webp"]
    assert "nothing is published yet" in printed.err and not list(target.iterdir())
    assert main([*asked, "--no-picture", "--yes"]) == 0
    assert [path.name for path in target.iterdir()] == ["cat.json"]
    assert (target / "cat.json").read_text() == looked[0]["text"]
    capsys.readouterr()
    assert main([*asked[:-1], "https://example.org/x.git"]) == 2
    assert "publish to a clone" in capsys.readouterr().err
