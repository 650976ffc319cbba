"""Sizes and stamps of models come from headers and file times, never from weights."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.engine.networks.on_disk import stamp, weight_bytes
from studio.errors import MissingModel
from studio.library import ModelEntry


def entry(path: Path | str) -> ModelEntry:
    return ModelEntry("mine", "base", "sd1", 0, str(path))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet/config.json").write_text("{}")
    save_file(
        {"a": torch.ones(3, 5), "b": torch.ones(7, dtype=torch.float16)},
        folder / "unet/one.safetensors",
    )
    save_file(
        {"ids": torch.arange(4), "flags": torch.ones(3, dtype=torch.bool)},
        folder / "unet/two.safetensors",
        metadata={"format": "pt"},
    )
    return folder


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_bytes_are_those_of_the_loaded_tensors(model: Path, dtype: torch.dtype) -> None:
    loaded = [t for file in model.glob("unet/*.safetensors") for t in load_file(file).values()]
    expected = sum(
        t.numel() * (dtype.itemsize if t.is_floating_point() else t.element_size()) for t in loaded
    )
    assert weight_bytes(entry(model), "unet", dtype) == expected
    assert weight_bytes(entry(model / "unet"), "unet", dtype) == expected
    one = entry(model / "unet/one.safetensors")
    assert weight_bytes(one, "", dtype) == (15 + 7) * dtype.itemsize


def test_a_whole_model_file_is_counted_part_by_part(tmp_path: Path) -> None:
    save_file(
        {
            "model.diffusion_model.a": torch.ones(10),
            "first_stage_model.b": torch.ones(3),
            "cond_stage_model.c": torch.ones(2),
        },
        tmp_path / "all.safetensors",
    )
    whole = entry(tmp_path / "all.safetensors")
    sizes = [weight_bytes(whole, part, torch.float16) for part in ("unet", "vae", "text_encoder")]
    assert sizes == [20, 6, 4]


def test_what_is_not_known_counts_nothing(model: Path) -> None:
    assert weight_bytes(entry(""), "unet", torch.float32) == 0
    before = weight_bytes(entry(model), "unet", torch.float32)
    (model / "unet/cut.safetensors").write_bytes(b"\xff" * 6)
    assert weight_bytes(entry(model), "unet", torch.float32) == before


def test_a_second_variant_of_the_same_weights_is_not_counted_twice(model: Path) -> None:
    before = weight_bytes(entry(model), "unet", torch.float32)
    save_file({"a": torch.ones(3, 5).half()}, model / "unet/one.fp16.safetensors")
    assert weight_bytes(entry(model), "unet", torch.float32) == before


def test_a_part_that_a_pipeline_lacks_is_not_looked_for_beside_it(model: Path) -> None:
    (model / "model_index.json").write_text("{}")
    save_file({"everything": torch.ones(99)}, model / "whole.safetensors")
    assert weight_bytes(entry(model), "text_encoder_2", torch.float32) == 0
    assert stamp(entry(model), "text_encoder_2") == ()


def test_the_stamp_follows_weights_and_config(model: Path) -> None:
    first = stamp(entry(model), "unet")
    assert stamp(entry(model), "unet") == first
    seen = {first}
    os.utime(model / "unet/one.safetensors", ns=(1, 1))
    seen.add(stamp(entry(model), "unet"))
    save_file({"a": torch.ones(4, 5)}, model / "unet/one.safetensors")
    seen.add(stamp(entry(model), "unet"))
    (model / "unet/config.json").write_text('{"more": 1}')
    seen.add(stamp(entry(model), "unet"))
    assert len(seen) == 4


def test_files_that_have_gone_are_named(model: Path) -> None:
    shutil.rmtree(model)
    for path in (model, model / "unet/one.safetensors"):
        with pytest.raises(MissingModel, match="'mine' is no longer in the library"):
            stamp(entry(path), "unet")
    assert stamp(entry(""), "unet") == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [("dtype", []), ("shape", ["a", "b"]), ("shape", 3), ("shape", [10**400]), ("shape", [-4])],
)
def test_an_odd_header_counts_nothing(field: str, value: object, tmp_path: Path) -> None:
    """Loading says what is wrong with the file; its size is not known."""
    header = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], field: value}}
    text = json.dumps(header).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    assert weight_bytes(entry(path), "", torch.float32) == 0
