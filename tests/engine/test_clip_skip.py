"""Clip skip: another layer of CLIP than the base's own, against diffusers' pipelines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from torch import nn

from studio.engine import Engine
from studio.engine.families import family_named
from studio.errors import BadPreset, IncompatibleModels, StudioError
from studio.events import Done
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny, tiny_pictures, tiny_sana, tiny_sdxl
from tests.support.tiny_pictures import SCALE, difference, ours

ROW = {"prompt": "a cat", "weight": SCALE}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion with towers of two layers, an XL one with three."""
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "base")
    tiny_sdxl.pipeline(folder / "xl")
    return folder


def shortened(pipe: Any) -> StableDiffusionPipeline:
    """The pipeline whose text encoder ends one layer earlier, with its last norm as it is."""
    pipe.text_encoder.encoder.layers = nn.ModuleList(pipe.text_encoder.encoder.layers[:-1])
    return pipe


def test_2_is_a_text_encoder_without_its_last_layer(root: Path) -> None:
    """Which is what web UIs call so: diffusers' own argument fails with today's transformers."""
    expected = tiny_pictures.theirs(shortened(tiny.load(root / "base")), "a cat")
    assert difference(ours(root, rows=[ROW], clip_skip=2), expected) <= 1
    assert difference(ours(root, rows=[ROW]), expected) > 1


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_of_xl_the_last_but_one_is_its_own(layer: int, root: Path) -> None:
    """diffusers counts from there, so that its argument is two less."""
    pipe = StableDiffusionXLPipeline.from_pretrained(root / "xl")
    expected = tiny_pictures.theirs(pipe, "a cat", clip_skip=layer - 2)
    assert difference(ours(root, "xl", 16, rows=[ROW], clip_skip=layer), expected) <= 1
    own = ours(root, "xl", 16, rows=[ROW])
    assert np.array_equal(own, ours(root, "xl", 16, rows=[ROW], clip_skip=layer)) == (layer == 2)


def test_what_a_model_ships_without_is_counted(root: Path) -> None:
    """Stable Diffusion 2.x: its folders end where its networks read, at the last layer but one."""
    family: Any = family_named("sd2")
    pipes = [tiny.load(root / "base"), shortened(tiny.load(root / "base"))]
    for pipe in pipes:
        pipe.text_encoder.tokenizer = pipe.tokenizer
    text = pipes[0].text_encoder
    plain, shorter = (family.encode(pipe.text_encoder, ["a cat"]).states for pipe in pipes)
    assert torch.equal(family.encode(text, ["a cat"], clip_skip=2).states, plain)
    assert torch.equal(family.encode(text, ["a cat"], clip_skip=3).states, shorter)
    with pytest.raises(BadPreset, match=r"^clip_skip: .* layers 2 to 3, got 1$"):
        family.encode(text, ["a cat"], clip_skip=1)


def test_weighted_words_and_several_rows_are_read_there_too(root: Path) -> None:
    """``(word:1.5)`` moves away from the empty prompt of that layer."""
    pipe: Any = shortened(tiny.load(root / "base"))
    rows = [{"prompt": "a (cat:1.5)", "weight": 3.0}, {"prompt": "fog", "weight": -1.0}]
    found = ours(root, rows=rows, clip_skip=2)
    plain, cat, fog = tiny.encode(pipe, "", "a cat", "fog")
    first, end = (len(pipe.tokenizer(words).input_ids) - 1 for words in ("a", "a cat"))
    mark = torch.ones(1, cat.shape[1], 1)
    mark[:, first:end] = 1.5
    cat = plain + mark * (cat - plain)

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        one = [pipe.unet(z, t, encoder_hidden_states=s).sample for s in (plain, cat, fog)]
        return one[0] + 3.0 * (one[1] - one[0]) - (one[2] - one[0])

    assert difference(found, tiny.ddim(pipe, predict, tiny_pictures.STEPS)) <= 1


def test_one_engine_keeps_texts_of_several_layers_apart(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    sampler = {"steps": 2, "scheduler": "ddim", "seed": 3}

    def picture(**asked: int) -> np.ndarray:
        preset = validate({"base": "base", "rows": [ROW], "sampler": sampler, **asked})
        (done,) = (event for event in engine.generate(preset) if isinstance(event, Done))
        return np.asarray(done.image)

    first, other, again = picture(), picture(clip_skip=2), picture()
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize("value", [0, 25, 1.5, True, "2"])
def test_its_bounds_are_the_schemas(value: object) -> None:
    with pytest.raises(BadPreset, match=r"^clip_skip: "):
        validate({"clip_skip": value})


def test_a_layer_that_is_not_there_is_refused_before_anything_loads(root: Path) -> None:
    with pytest.raises(BadPreset, match=r"^clip_skip: 'base' has the layers 1 to 2, got 3$"):
        compile_plan(validate({"base": "base", "rows": [ROW], "clip_skip": 3}), Library((root,)))


def test_a_file_whose_layers_are_known_once_it_is_read_names_the_field(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.plan.base_reads.layers_of", lambda base: 0)
    with pytest.raises(StudioError, match=r"^clip_skip: the text encoder has the layers 1 to 2"):
        ours(root, rows=[ROW], clip_skip=3)


def test_a_base_that_reads_no_layer_of_clip_is_refused_by_name(tmp_path: Path) -> None:
    tiny_sana.pipeline(tmp_path / "base")
    preset = validate({"base": "base", "rows": [ROW], "clip_skip": 2})
    with pytest.raises(IncompatibleModels, match=r"'base' \(SANA\) reads no single") as caught:
        compile_plan(preset, Library((tmp_path,)))
    assert caught.value.field == "clip_skip"


def test_a_preset_that_says_nothing_is_written_as_before() -> None:
    assert "clip_skip" not in json.loads(validate({"rows": [ROW]}).to_json())
