"""Whole models in one file, against diffusers' pipelines made of the same parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from studio.engine.families import single_file
from studio.errors import StudioError
from studio.library import Library
from studio.preset import validate
from tests.support import tiny_files
from tests.support.tiny_checkpoints import ours, parts, theirs, unet
from tests.support.tiny_pictures import difference


@pytest.mark.parametrize(
    ("family", "prediction", "mark"),
    [
        ("sd1", "epsilon", {}),
        ("sd2", "v_prediction", {}),
        ("sd2", "epsilon", {"modelspec.prediction_type": "epsilon"}),
        ("sdxl", "epsilon", {}),
    ],
)
def test_a_file_makes_diffusers_picture(
    family: str, prediction: str, mark: dict[str, str], tmp_path: Path
) -> None:
    networks = parts(family)
    tiny_files.save_whole_model(tmp_path / "checkpoints/mine.safetensors", family, networks, **mark)
    entry = Library((tmp_path,))["checkpoints/mine"]
    assert (entry.kind, entry.family, entry.prediction) == ("base", family, prediction)
    assert entry.latent_space == ("4x8:0.13025" if family == "sdxl" else "4x8:0.18215")
    expected = theirs(family, networks, prediction)
    assert difference(ours(tmp_path, "checkpoints/mine"), expected) <= 1


def test_clip_reads_as_everybody_s_clip_does() -> None:
    """Ids as published with the model."""
    tokenizer = single_file._clip_tokenizer("<|endoftext|>")
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer("Hello, world!").input_ids == [49406, 3306, 267, 1002, 256, 49407]
    assert len(tokenizer) == 49408


def test_the_original_config_beside_a_file_says_what_it_predicts(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    tiny_files.save_whole_model(file, "sd1", parts("sd1"))
    assert Library((tmp_path,))["mine"].prediction == "epsilon"
    file.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
    assert Library((tmp_path,))["mine"].prediction == "v_prediction"


def _depth(path: Path) -> None:
    tiny_files.save_whole_model(path, "sd2", {**parts("sd2"), "unet": unet("sd2", channels=5)})


def _upscaler(path: Path) -> None:
    tiny_files.save_whole_model(path, "sd2", {**parts("sd2"), "unet": unet("sd2", channels=7)})


def _unclip(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tiny_files.save_whole_model(path, "sd2", parts("sd2"))
    label = {"model.diffusion_model.label_emb.0.0.weight": torch.ones(2, 2)}
    save_file(load_file(path) | label, path)


def _truncated(path: Path) -> None:
    tiny_files.save_whole_model(path, "sd1", parts("sd1"))
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("write", "name", "told"),
    [
        (_depth, "mine.safetensors", "takes 5 input channels for latents of 4"),
        (_upscaler, "mine.safetensors", "takes 7 input channels for latents of 4"),
        (_unclip, "mine.safetensors", "takes a class label"),
        (_truncated, "mine.safetensors", "truncated download"),
        (lambda path: path.write_bytes(b"\x80\x04pickle"), "mine.ckpt", "is a pickle"),
    ],
)
@pytest.mark.parametrize("field", ["base", "rows.0.model"])
def test_files_that_cannot_be_used_are_refused_by_name(
    write: Callable[[Path], None], name: str, told: str, field: str, tmp_path: Path
) -> None:
    from studio.plan import compile_plan

    write(tmp_path / name)
    if field != "base":
        from tests.support import tiny

        tiny.pipeline(tmp_path / "base")
    library = Library((tmp_path,))
    assert "mine" not in [entry.id for entry in library.entries()]
    assert told in library.refused()[0].problem
    fields = {"base": "mine"} if field == "base" else {"base": "base", "rows": [{"model": "mine"}]}
    with pytest.raises(StudioError, match=told) as caught:
        compile_plan(validate(fields), library)
    assert caught.value.field == field
    assert "'mine'" in str(caught.value)
