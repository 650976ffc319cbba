"""What other tools keep beside a model is read: words, description, base, hashes, picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from studio.library import Library, ModelEntry
from studio.library.sidecars import SIDECARS

SHA = "ab" * 32


def entry(folder: Path, sidecars: dict[str, Any], **metadata: str) -> ModelEntry:
    path = folder / "ink.v1.safetensors"
    save_file({"lora_unet_x.lora_down.weight": torch.ones(1, 768)}, path, metadata or None)
    for ending, data in sidecars.items():
        text = data if isinstance(data, str) else json.dumps(data)
        (folder / f"ink.v1{ending}").write_text(text)
    return Library((folder,))["ink.v1"]


def test_civitai_s_answer(tmp_path: Path) -> None:
    data = {
        "name": "v1",
        "description": "<p>First &amp; best</p>",
        "trainedWords": ["pen ink", "sketch"],
        "baseModel": "SD 1.5",
        "model": {"name": "Fine Ink", "description": "<b>Draws</b>"},
        "files": [{"hashes": {"AutoV2": "ABABABABAB", "SHA256": SHA.upper(), "CRC32": "00000000"}}],
    }
    found = entry(tmp_path, {".civitai.info": data})
    assert (found.title, found.trigger, found.made_for) == (
        "Fine Ink v1",
        "pen ink, sketch",
        "SD 1.5",
    )
    assert found.description == "First & best. Draws"
    assert found.hashes == ("abababababab"[:10], SHA)


def test_the_web_ui_s_own_words_come_first(tmp_path: Path) -> None:
    mine = {
        "activation text": "zwx",
        "description": "mine",
        "preferred weight": 0.7,
        "sd version": "SD1",
        "notes": "good",
    }
    theirs = {"trainedWords": ["one"], "description": "theirs", "model": {"name": "Ink"}}
    found = entry(tmp_path, {".json": mine, ".civitai.info": theirs})
    assert (found.trigger, found.made_for, found.title) == ("zwx", "SD1", "Ink")
    assert found.description == "mine. Preferred weight 0.7. good"
    assert found.advised == "0.7"


@pytest.mark.parametrize(
    ("ending", "data", "advised"),
    [
        (".json", {"preferred weight": 0}, ""),  # the web UI's own default
        (".json", {"preferred weight": True}, ""),
        (".json", {"preferred weight": 900}, ""),
        (".metadata.json", {"usage_tips": '{"strength": 0.65}'}, "0.65"),
        (".metadata.json", {"usage_tips": "[]"}, ""),
        (".metadata.json", {"usage_tips": '{"strength": "much"}'}, ""),
        (".metadata.json", {"usage_tips": "{"}, ""),
    ],
)
def test_the_strength_that_is_advised(
    tmp_path: Path, ending: str, data: dict[str, Any], advised: str
) -> None:
    assert entry(tmp_path, {ending: data}).advised == advised


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        (
            ".cm-info.json",
            {
                "ModelName": "Ink",
                "TrainedWords": ["pen"],
                "BaseModel": "SDXL 1.0",
                "ModelDescription": "draws",
                "Hashes": {"SHA256": SHA},
            },
        ),
        (
            ".metadata.json",
            {
                "model_name": "Ink",
                "base_model": "SDXL 1.0",
                "sha256": SHA,
                "modelDescription": "draws",
                "civitai": {"trainedWords": ["pen"]},
            },
        ),
        (
            ".swarm.json",
            {
                "modelspec.title": "Ink",
                "modelspec.trigger_phrase": "pen",
                "modelspec.architecture": "SDXL 1.0",
                "modelspec.description": "draws",
                "modelspec.hash_sha256": f"0x{SHA}",
            },
        ),
    ],
)
def test_further_dialects(tmp_path: Path, ending: str, data: dict[str, Any]) -> None:
    found = entry(tmp_path, {ending: data})
    assert (found.title, found.trigger, found.made_for) == ("Ink", "pen", "SDXL 1.0")
    assert (found.description, found.hashes) == ("draws", (SHA,))


def test_the_header_says_what_no_file_does(tmp_path: Path) -> None:
    metadata = {
        "modelspec.title": "Ink",
        "modelspec.description": "draws",
        "sshs_model_hash": SHA,
        "sshs_legacy_hash": "12345678",
    }
    found = entry(tmp_path, {".json": {"description": "mine"}}, **metadata)
    assert (found.title, found.description) == ("Ink", "mine")
    assert found.hashes == ("12345678", SHA)


def test_damage_beside_a_model_leaves_the_model(tmp_path: Path) -> None:
    for ending in SIDECARS:
        for data in (
            "{",
            "[]",
            '{"model": 3, "files": [7, {"hashes": []}], "name": {}}',
            "[" * 9999,
        ):
            assert not entry(tmp_path, {ending: data}).problem
    odd = {"trainedWords": 5, "baseModel": [], "description": {"x": 1}, "activation text": 3}
    assert entry(tmp_path, {".json": odd, ".civitai.info": odd}).trigger == ""
    assert entry(tmp_path, {".json": {"description": "\ud800 x" * 9}}).description


@pytest.mark.parametrize("ending", [".png", ".preview.jpeg", ".preview.webp", ".swarmpreview.jpg"])
def test_a_picture_beside_a_model_is_its_preview(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"ink.v1{ending}").touch()
    assert entry(tmp_path, {}).thumbnail == str(tmp_path / f"ink.v1{ending}")


def test_a_new_sidecar_is_seen(tmp_path: Path, studio_home: Path) -> None:
    assert entry(tmp_path, {}).trigger == ""
    assert entry(tmp_path, {".json": {"activation text": "word"}}).trigger == "word"
