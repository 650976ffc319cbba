"""The library reads names and headers, never weights."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from studio.errors import MissingModel
from studio.library import Library, read_header
from tests.support import tiny


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    tiny.library(folder)
    concept = folder / "base/faces"
    concept.mkdir()
    (concept / "config.json").write_text(json.dumps({"null_text": "uniform"}))
    (folder / "tuned").mkdir()
    tiny.pipeline(folder / "tuned")
    (folder / "tuned/card.json").write_text(json.dumps({"base": "base", "trigger": "hero"}))
    loose = folder / "loras"
    loose.mkdir()
    save_file(
        {"lora_unet_down_blocks_0_attentions_0_attn2_to_k.lora_down.weight": torch.ones(4, 768)},
        loose / "kohya.safetensors",
    )
    save_file({"something": torch.ones(1)}, loose / "other.safetensors")
    (loose / "cut.safetensors").write_bytes(b"\xff" * 5)
    (loose / "pickle.ckpt").write_bytes(b"\x80\x04")
    return folder


def test_kinds_and_what_they_inherit(root: Path) -> None:
    library = Library((root,))
    kinds = {e.id: e.kind for e in library.entries()}
    assert kinds == {
        "base": "base",
        "tuned": "finetune",
        "base/faces": "concept",
        "base/style": "lora",
        "base/guide": "controlnet",
        "loras/kohya": "lora",
    }
    assert library["base"].latent_space == library["base/faces"].latent_space == "4x2:0.5"
    assert library["base/faces"].base == "base"
    assert (library["base"].size, library["base"].multiple) == (16, 2)
    assert library["tuned"].trigger == "hero"
    on_disk = sum(
        f.stat().st_size
        for part in ("unet", "vae", "text_encoder")
        for f in (root / "base" / part).glob("*.safetensors")
    )
    assert library["base"].bytes == on_disk
    assert library.controlnet("base", "map").id == "base/guide"


def test_unknown_ids(root: Path) -> None:
    library = Library((root,))
    with pytest.raises(MissingModel, match="it holds base, tuned"):
        library["nothing"]
    with pytest.raises(MissingModel):
        library["base/nothing"]  # below a local base, so no hub id
    with pytest.raises(MissingModel):
        library["../../etc/passwd"]
    with pytest.raises(MissingModel, match="there is map"):
        library.controlnet("base", "depth")
    on_hub = library["somebody/some-model"]
    assert (on_hub.kind, on_hub.path, on_hub.latent_space) == ("base", "", "")


def test_links_out_of_the_library_are_not_followed(root: Path, tmp_path: Path) -> None:
    inside = tmp_path / "models"
    (inside / "loras").mkdir(parents=True)
    os.symlink(root / "base", inside / "leak")
    os.symlink(root / "loras/kohya.safetensors", inside / "loras/leak.safetensors")
    os.symlink(tmp_path / "nowhere", inside / "broken")
    library = Library((inside,))
    assert library.entries() == []
    refused = {entry.id: entry.problem for entry in library.refused()}
    assert set(refused) == {"leak", "loras/leak"}
    assert all("link out of the library" in problem for problem in refused.values())


def test_links_within_the_library_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    (tmp_path / "loras/deep").mkdir(parents=True)
    layer = {"lora_unet_x.lora_down.weight": torch.ones(1, 768)}
    save_file(layer, tmp_path / "loras/deep/ink.safetensors")
    os.symlink(tmp_path / "loras", tmp_path / "again")
    os.symlink(tmp_path, tmp_path / "loras/deep/loop")
    os.symlink(tmp_path / "loras/deep", tmp_path / "loras/deep/self")
    library = Library((tmp_path,))
    assert {entry.id for entry in library.entries()} == {"loras/deep/ink", "again/deep/ink"}
    assert library.refused() == []


def test_header_of_a_file_that_lies_about_its_length(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes((2**60).to_bytes(8, "little") + b"{}")
    with pytest.raises(ValueError, match="no safetensors header"):
        read_header(path)


def test_five_thousand_files_are_read_once_and_list_within_a_second(
    tmp_path: Path, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look at a large library reads no header at all, only names, sizes and times."""
    from studio.library import guard

    folder = tmp_path / "loras"
    folder.mkdir()
    key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
    content = save({key: torch.ones(1, 768)})
    for number in range(5000):
        (folder / f"{number}.safetensors").write_bytes(content)
        if number % 10 == 0:
            (folder / f"{number}.preview.png").touch()
            (folder / f"{number}.json").write_text('{"activation text": "word"}')
    read: list[Path] = []
    original = guard.read_header
    monkeypatch.setattr(guard, "read_header", lambda path: read.append(path) or original(path))
    first = Library((), (tmp_path,))
    assert len(first) == len(read) == 5000
    read.clear()
    start = time.process_time()
    again = Library((), (tmp_path,))
    assert len(again) == 5000 and read == []
    assert time.process_time() - start < 1.0
    assert again["loras/70"] == first["loras/70"] and again["loras/70"].trigger == "word"
    save_file({"emb_params": torch.ones(2, 768)}, folder / "77.safetensors")
    assert Library((), (tmp_path,))["loras/77"].kind == "embedding" and len(read) == 1


def test_a_damaged_index_is_begun_anew(root: Path, studio_home: Path) -> None:
    from studio.home import cache_folder
    from studio.library import index

    expected = Library((root,)).entries()
    odd = json.dumps({"version": index.version(), "files": {"x": 3}}).encode()
    for content in (b"{", b"[]", odd, b'{"version": 99}'):
        (cache_folder() / "library.json").write_bytes(content)
        assert Library((root,)).entries() == expected


def test_what_other_tools_keep_beside_a_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_file(
            {"lora_unet_x.lora_down.weight": torch.ones(1, 768)}, tmp_path / f"{name}.safetensors"
        )
    (tmp_path / "a.json").write_text(json.dumps({"activation text": "zwx dog"}))
    (tmp_path / "a.preview.png").write_bytes(b"")
    (tmp_path / "b.civitai.info").write_text(json.dumps({"trainedWords": ["one", "two"]}))
    library = Library((tmp_path,))
    assert (library["a"].trigger, library["b"].trigger) == ("zwx dog", "one, two")
    assert library["a"].thumbnail == str(tmp_path / "a.preview.png")


def test_a_lone_network_is_a_fine_tune_of_its_family(root: Path, tmp_path: Path) -> None:
    """As Diffusion-DPO was published: a U-Net in a folder, no pipeline around it."""
    tiny.unet().save_pretrained(tmp_path / "dpo/unet")
    (tmp_path / "dpo/card.json").write_text(json.dumps({"base": "base"}))
    library = Library((root, tmp_path))
    entry = library["dpo"]
    assert (entry.kind, entry.family, entry.latent_space) == ("finetune", "sd1", "4x2:0.5")
    assert "dpo/unet" not in library
    assert entry.bytes == sum(
        f.stat().st_size for f in (tmp_path / "dpo/unet").glob("*.safetensors")
    )


def test_a_dropped_in_controlnet_serves_every_base_of_its_family(
    root: Path, tmp_path: Path
) -> None:
    for name, width in (("control_v11p_sd15_canny", 768), ("controlnet-depth-sdxl-1.0", 2048)):
        folder = tmp_path / "controlnet" / name
        folder.mkdir(parents=True)
        config = {"_class_name": "ControlNetModel", "cross_attention_dim": width}
        (folder / "config.json").write_text(json.dumps(config))
    library = Library((root, tmp_path))
    found = library.controlnet("base", "canny")
    assert (found.id, found.family) == ("controlnet/control_v11p_sd15_canny", "sd1")
    with pytest.raises(MissingModel, match="there is canny, map"):
        library.controlnet("base", "depth")


def test_the_models_tab_lists_and_refuses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.ui.library import models

    monkeypatch.setattr(models, "library", lambda: Library((root,)))
    shown = models.table(shared=False)
    assert 'type="search"' in shown and "loras/kohya" in shown
    refused = shown[shown.index("Cannot be used") :]
    assert "loras/pickle" in refused and "loras/cut" in refused
    assert "of a hub land there" in shown and "land there" not in models.table(shared=True)
    told = {item["id"]: (item["family"], item["space"]) for item in models.as_signal()}
    assert told["base"] == ("sd1", "4x2:0.5") and told["loras/kohya"][0] == "sd1"
