"""Settings: where a value comes from, what is kept, and that a bad file stops nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio import settings
from studio.__main__ import main
from studio.engine.networks import devices
from studio.engine.speed.runtime import Runtime
from studio.errors import StudioError
from studio.history import history
from studio.history.intake import take_in
from studio.home import studio_home
from studio.library import hub
from studio.outputs import outputs_folder
from studio.plan import limits
from studio.preprocessors.learned import may_download
from studio.preset import validate
from studio.share import save_image
from studio.ui import space

CPU = torch.device("cpu")


@pytest.fixture
def file(studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for one in settings.SETTINGS.values():
        if one.variable:
            monkeypatch.delenv(one.variable, raising=False)
    return studio_home / "settings.json"


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settings.chosen("precision")
    assert (found.value, found.origin) == ("auto", "default") and not file.exists()
    settings.change("precision", "bfloat16")
    settings.change("compile", True)
    assert json.loads(file.read_text()) == {"precision": "bfloat16", "compile": True}
    assert devices.precision(CPU) == torch.bfloat16 and Runtime.chosen(CPU).compile
    monkeypatch.setenv("STUDIO_PRECISION", "float16")
    found = settings.chosen("precision")
    assert (found.value, found.origin) == ("float16", "environment")
    assert devices.precision(CPU) == torch.float16
    with pytest.raises(StudioError, match="precision: is set by STUDIO_PRECISION"):
        settings.change("precision", "auto")
    monkeypatch.delenv("STUDIO_PRECISION")
    settings.change("precision", None)
    assert json.loads(file.read_text()) == {"compile": True}
    settings.change("downloads", True)
    assert may_download()
    monkeypatch.setenv("STUDIO_ALLOW_DOWNLOAD", "0")
    assert not may_download()


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("device", "tpu", "auto, cuda, mps, cpu"),
        ("device", "cuda:x", "auto, cuda, mps, cpu"),
        ("precision", 16, "float32"),
        ("compile", 1, "true or false"),
        ("compile", "1", "true or false"),
        ("long_run", True, "from 0 to 86400"),
        ("long_run", -1, "from 0 to 86400"),
        ("long_run", 2.5, "from 0 to 86400"),
        ("nothing", 1, "there is device"),
        ("outputs", "pictures", "full path of a folder"),
        ("outputs", "/\0", "full path of a folder"),
        ("outputs", __file__, "full path of a folder"),
        ("outputs", 3, "full path of a folder"),
    ],
)
def test_what_cannot_be_is_refused_and_not_kept(
    file: Path, name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(StudioError, match=allowed) as caught:
        settings.change(name, value)
    assert caught.value.field == name and not file.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "\x00", '{"a": ' * 5000])
def test_a_damaged_file_is_one_line_is_not_in_use_and_is_not_written_over(
    file: Path, text: str
) -> None:
    file.write_text(text)
    (line,) = settings.problems()
    assert line.startswith("settings.json: ") and "\n" not in line
    assert settings.chosen("device").origin == "default" and devices.choose().type
    with pytest.raises(StudioError, match=r"settings\.json"):
        settings.change("theme", "dark")
    assert file.read_text() == text


def test_a_bad_value_and_an_unknown_name_are_named_and_the_rest_is_in_use(file: Path) -> None:
    file.write_text('{"theme": "dark", "precision": "half", "of_later": 3}')
    assert settings.chosen("theme").value == "dark"
    assert settings.chosen("precision").value == "auto"
    lines = settings.problems()
    assert len(lines) == 2 and "precision: must be one of auto" in lines[0]
    assert "'half'" in lines[0] and "of_later: there is no such setting" in lines[1]
    settings.change("sounds", True)
    assert json.loads(file.read_text())["of_later"] == 3  # what a person wrote stays


def test_a_device_of_the_file_that_is_not_there_is_left_out_one_of_the_environment_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    settings.change("device", "cuda:1")
    settings.change("attention", "xformers")
    assert devices.choose() == CPU and Runtime.chosen(CPU).attention == "sdpa"
    monkeypatch.setenv("STUDIO_DEVICE", "cuda:1")
    with pytest.raises(StudioError, match="there is cpu") as caught:
        devices.choose()
    assert caught.value.field == "STUDIO_DEVICE"
    monkeypatch.setenv("STUDIO_DEVICE", "gpu")
    with pytest.raises(StudioError, match="auto, cuda") as caught:
        devices.choose()
    assert caught.value.field == "STUDIO_DEVICE"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.delenv("STUDIO_DEVICE")
    assert devices.choose() == torch.device("cuda")  # there is no second one
    with pytest.raises(StudioError, match="'cuda:1' is not available here; there is cuda, cpu"):
        devices.choose("cuda:1")


def test_the_command_line_lists_sets_and_resets(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIO_DEVICE", "cpu")
    assert main(["settings"]) == 0
    told = {one["name"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(told) == set(settings.SETTINGS)
    assert told["device"]["from"] == "STUDIO_DEVICE" and told["theme"]["from"] == "default"
    assert main(["settings", "compile", "1"]) == 0 and main(["settings", "long_run", "60"]) == 0
    assert json.loads(file.read_text()) == {"compile": True, "long_run": 60}
    assert main(["settings", "compile", "--reset"]) == 0
    assert json.loads(file.read_text()) == {"long_run": 60}
    capsys.readouterr()
    assert main(["settings", "theme", "pink"]) == 2
    assert "system, light, dark" in capsys.readouterr().err
    file.write_text('{"theme": 3}')
    assert main(["settings", "theme"]) == 0  # a bad file is named once, and stops no verb
    printed = capsys.readouterr()
    assert printed.err.count("settings.json: theme: must be one of system") == 1
    assert json.loads(printed.out)["value"] == "system"


def test_pictures_and_their_history_go_to_the_folder_that_is_set(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read once a process: another home, or another variable, stand for another start."""
    set_, home = tmp_path / "set", file.parent
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "other"))
    assert outputs_folder() == tmp_path / "other" / "outputs"
    monkeypatch.setenv("STUDIO_HOME", str(home))
    assert main(["settings", "outputs", str(set_)]) == 0
    assert outputs_folder() == set_ and history().outputs == set_
    save_image(Image.new("RGB", (8, 8)), validate({"name": "Moved"}), outputs_folder())
    take_in(history())
    assert [one.title for one in history().search(None, 5, 0).records] == ["Moved"]
    settings.change("outputs", None)
    assert outputs_folder() == set_  # until the next start
    monkeypatch.setenv("STUDIO_OUTPUTS", "relative")
    with pytest.raises(StudioError, match="STUDIO_OUTPUTS: must be the full path of a folder"):
        outputs_folder()
    assert main(["doctor", "--json"]) == 0


def test_visitors_pictures_never_go_to_the_owner_s_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    monkeypatch.setenv("STUDIO_OUTPUTS", str(tmp_path / "mine"))
    monkeypatch.setattr(limits, "_step_terms", limits.MAX_STEP_TERMS)  # put back at the end
    monkeypatch.setattr(hub, "_closed", False)  # and so is this
    space.prepare(shared=True)
    assert outputs_folder().is_relative_to(studio_home()) and "mine" not in str(outputs_folder())


def test_of_changes_at_once_none_is_lost(file: Path) -> None:
    switches = [one.name for one in settings.SETTINGS.values() if isinstance(one.default, bool)]
    assert len(switches) > 3
    for value in (True, False) * 5:
        file.unlink(missing_ok=True)
        with ThreadPoolExecutor(len(switches)) as pool:
            list(pool.map(lambda name, to=value: settings.change(name, to), switches))
        assert json.loads(file.read_text()) == dict.fromkeys(switches, value)
