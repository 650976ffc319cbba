"""SwarmUI's exported presets taken as styles: their texts and LoRAs, and a word on what else they set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import BadPreset
from studio.preset.own_styles import delete_style, edit_style, holds_styles, take_styles
from studio.preset.styles import styles


def exported(folder: Path, **presets: dict[str, Any]) -> Path:
    path = folder / "swarm_presets.json"
    data = {
        title: {"author": "local", "title": title, "param_map": settings, "preview_image": ""}
        for title, settings in presets.items()
    }
    path.write_text(json.dumps(data), encoding="utf-8-sig")
    return path


def test_an_export_is_taken_as_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    path = exported(
        tmp_path,
        Film={
            "prompt": "cinematic {value}, grain",
            "negativeprompt": "{value}, cartoon",
            "steps": "30",
        },
        Ink={"loras": "ink,line art", "loraweights": "0.8"},
        Fast={"steps": "8", "cfgscale": "2"},
    )
    assert holds_styles(path)
    found, notes = take_styles(path)
    assert [(one.name, one.prompt, one.negative) for one in found] == [
        ("Film", "cinematic {prompt}, grain", "{prompt}, cartoon"),
        ("Ink", "<lora:ink:0.8> <lora:line art:1>", ""),
    ]
    assert notes == [
        "style 'Fast': it has no text, and is left out",
        "style 'Film': not read here: 'steps'",
    ]
    edit_style("Film", "Cinema", prompt="movie {prompt}")
    delete_style("Ink")
    assert [(one.name, one.prompt) for one in styles()] == [("Cinema", "movie {prompt}")]


def test_each_lora_has_its_own_weight_and_no_setting_is_a_style_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    loras = {"loras": "ink,,line,fur", "loraweights": "0.5,,0.7"}
    found, notes = take_styles(exported(tmp_path, Ink={**loras, "rows": "2", "text": "x"}))
    assert [one.prompt for one in found] == ["<lora:ink:0.5> <lora:line:0.7> <lora:fur:1>"]
    assert notes == ["style 'Ink': not read here: 'rows (SwarmUI)', 'text (SwarmUI)'"]


def test_presets_without_a_text_are_no_styles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    path = exported(tmp_path, Fast={"steps": "8"}, Odd={"prompt": 7})
    with pytest.raises(BadPreset, match=r"swarm_presets\.json: .*'Fast': it has no text"):
        take_styles(path)


@pytest.mark.parametrize("text", ["{}", "[]", '{"a": {"param_map": 1}}', "{", '{"rows": []}'])
def test_any_other_file_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "one.json"
    path.write_text(text)
    assert not holds_styles(path)
