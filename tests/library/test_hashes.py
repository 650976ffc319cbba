"""Hashes by which other tools name models: computed as they do, kept, and found in pictures."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from studio.library import Library
from studio.library.hashes import Background, Hashes, compute
from studio.library.model_files import files_of
from tests.support import tiny
from tests.support.other_tools import png, read


@pytest.fixture
def ink(tmp_path: Path) -> Path:
    path = tmp_path / "loras/ink.safetensors"
    path.parent.mkdir()
    tensors = {"lora_unet_x.lora_down.weight": torch.randn(512, 768), "alpha": torch.ones(1)}
    save_file(tensors, path, {"note": "x"})
    return path


def expected(path: Path) -> tuple[str, str, str]:
    data = path.read_bytes()
    tensors = data[8 + int.from_bytes(data[:8], "little") :]
    digests = (hashlib.sha256(part).hexdigest() for part in (data, tensors, data[2**20 :][: 2**16]))
    first, second, third = digests
    return first, second, third[:8]


@pytest.mark.parametrize("block", [2**22, 1000, 2**16 + 1])
def test_they_are_those_of_the_other_tools(
    ink: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.library.hashes._BLOCK", block)
    assert ink.stat().st_size > 2**20 + 2**16
    assert compute(ink) == expected(ink)
    assert compute(ink, lambda: True) == ()


def test_they_are_kept_while_the_file_stays(ink: Path, tmp_path: Path) -> None:
    entries = Library((tmp_path,)).entries()
    hashes = Hashes(tmp_path / "hashes.json")
    assert hashes.lacks(entries[0]) and hashes.of(entries[0]) == ()
    assert list(hashes.fill(entries)) == entries
    again = Hashes(tmp_path / "hashes.json")
    assert again.of(entries[0]) == expected(ink) and not again.lacks(entries[0])
    assert again.find(expected(ink)[1][:12].upper(), entries) == entries[0]
    assert again.find("0123456789", entries) is None and again.find("ink", entries) is None
    os.utime(ink, ns=(1, 1))
    assert again.lacks(entries[0])
    for damaged in ("{", "[]", '{"x": 3, "y": [1, 2, ["zz"]]}'):
        (tmp_path / "hashes.json").write_text(damaged)
        assert Hashes(tmp_path / "hashes.json").of(entries[0]) == ()


def test_a_folder_has_one_hash_of_all_its_files(tmp_path: Path, studio_home: Path) -> None:
    for name in ("one", "same"):
        tiny.pipeline(tmp_path / name)
    library = Library((tmp_path,))
    one, same = library["one"], library["same"]
    assert library.hashes.unknown(one) and not library.hashes.lacks(one)  # no tool names it by one
    assert {entry.id for entry in library.hashes.fill([one, same])} == {"one", "same"}
    known = library.hashes_of(["one", "same"])
    assert known["one"] == known["same"] and len(known["one"]) == 64
    weights = next((tmp_path / "same" / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert library.hashes_of(["one", "same"]) == {"one": known["one"]}
    assert library.hashes.unknown(same) and list(library.hashes.fill([same]))
    assert library.hashes_of(["same"])["same"] != known["one"]


@pytest.mark.parametrize("index", ["[1, 2]", "3", "null", '"unet"', "[" * 100_000])
def test_a_folder_whose_index_is_none_is_its_own_files(index: str, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(index)
    (tmp_path / "own.safetensors").write_bytes(b"weights")
    assert [file.name for file in files_of(tmp_path)] == ["model_index.json", "own.safetensors"]


def test_what_is_known_of_models_is_asked_by_their_ids(
    ink: Path, tmp_path: Path, studio_home: Path
) -> None:
    library = Library((tmp_path,))
    (entry,) = library.entries()
    assert library.hashes_of([entry.id, "absent"]) == {}
    assert list(library.hashes.fill([entry]))
    assert library.hashes_of([entry.id, "absent"]) == {entry.id: expected(ink)[0]}


def test_a_picture_names_a_lora_by_hash(ink: Path, tmp_path: Path, studio_home: Path) -> None:
    digest = expected(ink)[1][:12]
    text = (
        "a cat <lora:renamed:0.5>\nSteps: 5, Sampler: Euler, CFG scale: 5, Seed: 1, Size: 64x64, "
        f'Model: m, Lora hashes: "renamed: {digest}"'
    )
    library = Library((tmp_path,))
    preset, notes = read(png(tmp_path, parameters=text), library)
    assert preset.rows[0].model is None
    assert "those of 1 file of this library are not known yet" in notes
    list(library.hashes.fill(library.entries()))
    preset, notes = read(png(tmp_path, parameters=text), library)
    assert preset.rows[0].model.adapters() == [("loras/ink", 0.5)]  # type: ignore[union-attr]
    assert "'renamed' is 'loras/ink' in this library, by its hash" in notes
    swarm = (
        '{"sui_image_params": {"prompt": "a", "cfgscale": 5, "steps": 5, "seed": 1, '
        '"loras": ["other"], "loraweights": ["0.5"]}, '
        f'"sui_models": [{{"name": "other", "param": "loras", "hash": "0x{expected(ink)[1]}"}}]}}'
    )
    preset, _ = read(png(tmp_path, parameters=swarm), library)
    assert preset.rows[0].model.adapters() == [("loras/ink", 0.5)]  # type: ignore[union-attr]


def test_they_are_computed_in_the_background_where_the_page_wants_it(
    ink: Path, tmp_path: Path, studio_home: Path
) -> None:
    library = Library((tmp_path,))
    background = Background()
    background.start(library.hashes, library)
    assert background._thread is not None
    background._thread.join(30)
    assert background.left == 0
    assert library.hashes.of(library["loras/ink"]) == expected(ink)
