"""Folders of other tools, laid out as each tool lays them out, are read where they are."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from studio.library import Library, scan
from studio.library.places import LAYOUTS, Layout, Place, layout_of

LORA = save({"lora_unet_x.lora_down.weight": torch.ones(1, 768)})


def lora(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(LORA)
    return path


def found(*folders: Path) -> dict[str, str]:
    return {entry.id: entry.path for entry in Library((), folders).entries()}


def refused(*folders: Path) -> dict[str, str]:
    return {entry.id: entry.problem for entry in Library((), folders).refused()}


def test_the_web_ui_s_folder_and_its_models_alone(tmp_path: Path) -> None:
    ink = lora(tmp_path / "models/Lora/anime/ink.safetensors")
    soft = tmp_path / "embeddings/soft.safetensors"
    soft.parent.mkdir()
    save_file({"emb_params": torch.ones(2, 768)}, soft)
    lora(tmp_path / "venv/lib/x.safetensors")  # what is no model's folder is not looked at
    lora(tmp_path / "models/GFPGAN/big.safetensors")
    (tmp_path / "models/GFPGAN/face.pth").write_bytes(b"\x80\x04")
    (tmp_path / "webui.py").touch()
    expected = {"Lora/anime/ink": str(ink), "embeddings/soft": str(soft)}
    assert found(tmp_path) == found(tmp_path / "models") == expected
    assert layout_of(tmp_path)[0] == "AUTOMATIC1111 / Forge"
    (one,) = refused(tmp_path).items()
    assert one[0] == "GFPGAN" and "mend or find faces" in one[1] and "(2 files)" in one[1]


def test_comfyui_s_folder_with_extra_model_paths(tmp_path: Path) -> None:
    comfy, other = tmp_path / "ComfyUI", tmp_path / "webui"
    (comfy / "comfy").mkdir(parents=True)
    expected = {
        "loras/own": str(lora(comfy / "models/loras/own.safetensors")),
        "loras/ink": str(lora(other / "models/Lora/ink.safetensors")),
        "loras/dot": str(lora(other / "models/LyCORIS/dot.safetensors")),
        "checkpoints/beside": str(lora(comfy / "more/beside.safetensors")),
    }
    (comfy / "extra_model_paths.yaml").write_text(
        f"""
# a comment
a111:
    base_path: {other}
    is_default: true
    loras: |
        models/Lora
        models/LyCORIS
    vae: models/VAE
    configs: models/Lora
    upscale_models: models/ESRGAN
    facerestore_models: models/GFPGAN
    custom_nodes: nodes
near:
    checkpoints: more
    text: models/loras
empty:
"""
    )
    enlarges = other / "models/ESRGAN/4x.safetensors"
    enlarges.parent.mkdir()
    save_file({"body.0.weight": torch.ones(1)}, enlarges)  # no name tells it, the folder does
    lora(other / "models/GFPGAN/face.safetensors")
    expected["upscale_models/4x"] = str(enlarges)
    assert found(comfy) == expected  # none of them twice
    said = refused(comfy)
    assert "extra_model_paths.yaml names it" in said["VAE"]
    assert "mend or find faces" in said["facerestore_models/GFPGAN"] and len(said) == 2
    expected["text/own"] = expected.pop("loras/own")
    assert found(comfy / "extra_model_paths.yaml") == expected


def test_swarmui_s_model_root(tmp_path: Path) -> None:
    (tmp_path / "SwarmUI.sln").touch()
    one = lora(tmp_path / "Models/Lora/ink.safetensors")
    assert found(tmp_path) == {"Lora/ink": str(one)}
    two = lora(tmp_path / "elsewhere/Lora/dot.safetensors")
    (tmp_path / "Data").mkdir()
    (tmp_path / "Data/Settings.fds").write_text(
        f"#Settings\nPaths:\n\t#Where\n\tModelRoot: Models;{two.parent.parent}\n"
        f"\tSDLoraFolder: Lora;{tmp_path / 'far'}\n\tSDVAEFolder: {tmp_path / 'gone'}\n"
    )
    far = lora(tmp_path / "far/pen.safetensors")
    expected = {"Lora/ink": str(one), "Lora/dot": str(two), "lora/pen": str(far)}
    assert found(tmp_path) == expected and refused(tmp_path) == {"gone": "is not there"}


def test_invokeai_s_database_names_models(tmp_path: Path) -> None:
    inside = lora(tmp_path / "models/0a1b/ink.safetensors")
    outside = lora(tmp_path / "mine/dot.safetensors")
    lora(tmp_path / "mine/other.safetensors")  # InvokeAI does not know it
    (tmp_path / "databases").mkdir()
    with sqlite3.connect(tmp_path / "databases/invokeai.db") as database:
        database.execute("CREATE TABLE models (id TEXT, config TEXT)")
        for config in (
            {"path": "0a1b/ink.safetensors", "name": "Fine Ink", "trigger_phrases": ["ink", "pen"]},
            {"path": str(outside), "name": "Dots", "description": "of paint"},
            {"path": 3},
        ):
            database.execute("INSERT INTO models VALUES ('x', ?)", [json.dumps(config)])
    database.close()
    library = Library((), (tmp_path,))
    assert found(tmp_path) == {"0a1b/ink": str(inside), "in place/dot": str(outside)}
    assert (library["0a1b/ink"].title, library["0a1b/ink"].trigger) == ("Fine Ink", "ink, pen")
    assert library["in place/dot"].description == "of paint"


def test_the_hub_s_cache(tmp_path: Path) -> None:
    repository = tmp_path / "hub/models--owner--some.model"
    blob = repository / "blobs/12"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(LORA)
    for revision in ("aaaaaaa", "bbbbbbb"):
        (repository / "snapshots" / revision).mkdir(parents=True)
    os.symlink("../../blobs/12", repository / "snapshots/aaaaaaa/ink.safetensors")
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text("aaaaaaa")
    expected = {
        "owner/some.model/ink": str(repository / "snapshots/aaaaaaa/ink.safetensors"),
    }
    assert found(tmp_path) == found(tmp_path / "hub") == expected
    (repository / "refs/main").write_text("../../../etc")
    assert set(found(tmp_path)) <= set(expected)


def test_links_lead_out_of_a_named_folder_but_not_in_circles(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    lora(disk / "ink.safetensors")
    named = tmp_path / "named"
    (named / "a").mkdir(parents=True)
    (named / "b").mkdir()
    os.symlink(disk, named / "Lora")
    os.symlink(disk / "ink.safetensors", named / "one.safetensors")
    os.symlink(named / "a", named / "b/to-a")
    os.symlink(named / "b", named / "a/to-b")
    os.symlink(tmp_path, disk / "up")
    os.symlink(tmp_path / "nothing", named / "gone.safetensors")
    assert set(found(named)) == {"Lora/ink", "one"}
    assert refused(named) == {"gone": "is a link that leads nowhere"}
    assert set(Library((named,)).entries()) == set()  # the studio's own folder holds no links out


def test_two_folders_with_the_same_names_lose_neither(tmp_path: Path) -> None:
    first, second = (lora(tmp_path / name / "Lora/ink.safetensors") for name in ("one", "two"))
    assert found(tmp_path / "one", tmp_path / "two") == {
        "Lora/ink": str(first),
        "two/Lora/ink": str(second),
    }
    assert len(found(tmp_path / "one", tmp_path / "one/../one")) == 1


def test_what_is_wrong_with_a_named_folder_is_said(tmp_path: Path) -> None:
    file = lora(tmp_path / "x.safetensors")
    yaml = tmp_path / "extra_model_paths.yaml"
    yaml.write_text("a: [")
    said = refused(tmp_path / "none", file, yaml)
    assert "is not there" in said["none"] and "is a file" in said["x.safetensors"]
    assert "is damaged" in said["extra_model_paths.yaml"]
    yaml.write_text("a: &a [*a]\nb: 3\nc: {base_path: 7, loras: [1]}")
    assert found(yaml) == {}


def test_deep_and_endless_folders_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lora(tmp_path.joinpath("deep", *"abcdefghij", "x.safetensors"))
    lora(tmp_path / "deep/a/b/c/d/e/f/y.safetensors")
    assert set(found(tmp_path / "deep")) == {"a/b/c/d/e/f/y"}
    assert "more than 8 folders deep" in refused(tmp_path / "deep")["a/b/c/d/e/f/g/h/i"]
    monkeypatch.setattr(scan, "MOST_VISITED", 5)
    for number in range(9):
        lora(tmp_path / "wide" / f"{number}.safetensors")
    assert len(found(tmp_path / "wide")) == 4
    assert "holds more than 5 files" in refused(tmp_path / "wide")["models"]


def test_a_tool_is_added_by_registering_it(tmp_path: Path) -> None:
    lora(tmp_path / "weights/ink.safetensors")
    (tmp_path / "toy.ini").touch()

    def toy(folder: Path) -> list[Place]:
        there = (folder / "toy.ini").is_file()
        return [Place(folder / "weights", "toy")] if there else []

    LAYOUTS.register("toy", Layout("Toy", toy))
    try:
        assert set(found(tmp_path)) == {"toy/ink"}
    finally:
        LAYOUTS.remove("toy")
