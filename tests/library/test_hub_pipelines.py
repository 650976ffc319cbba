"""Whether the hub's cache has all of a pipeline that is run here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.library.hub_pipelines import is_whole

INDEX: dict[str, Any] = {
    "_class_name": "AnyPipeline",
    "transformer": ["diffusers", "AnyTransformer2DModel"],
    "text_encoder": ["transformers", "AnyModel"],
    "tokenizer": ["transformers", "AnyTokenizer"],
    "vae": ["diffusers", "AutoencoderKL"],
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "safety_checker": [None, None],
    "pe": ["transformers", "AnyForCausalLM"],
    "force_zeros": True,
}
PIECES = {
    "a": "model-1-of-2.safetensors",
    "b": "model-2-of-2.safetensors",
    "c": "model-2-of-2.safetensors",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model_index.json").write_text(json.dumps(INDEX))
    for part in ("transformer", "text_encoder", "tokenizer", "vae", "scheduler"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text("{}")
    for part in ("text_encoder", "vae"):
        (tmp_path / part / "model.fp16.safetensors").write_bytes(b"x")
    index = tmp_path / "transformer/model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": PIECES}))
    for piece in PIECES.values():
        (tmp_path / "transformer" / piece).write_bytes(b"x")
    return tmp_path


def test_a_prompt_enhancer_and_empty_parts_are_not_missed(folder: Path) -> None:
    assert is_whole(folder)


@pytest.mark.parametrize(
    "file", ["transformer/model-2-of-2.safetensors", "text_encoder/model.fp16.safetensors"]
)
def test_a_file_that_has_not_come_is(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert not is_whole(folder)


def test_only_who_decodes_misses_the_autoencoder(folder: Path) -> None:
    (folder / "vae/model.fp16.safetensors").unlink()
    assert is_whole(folder, decodes=False) and not is_whole(folder)


@pytest.mark.parametrize("odd", [["a"], "x", 3, None])
def test_an_index_of_something_else_names_no_pieces(folder: Path, odd: Any) -> None:
    index = folder / "transformer/model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": odd, "more": "x" * 99}))
    assert is_whole(folder)


def test_a_part_whose_name_can_be_none_is_not_here(folder: Path) -> None:
    index = {**INDEX, "x" * 300: ["diffusers", "AnyModel"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    assert not is_whole(folder)
