"""What cannot be merged is refused before a weight is read, with its field and what is allowed."""

from __future__ import annotations

import math
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from diffusers import UNet2DConditionModel

from studio.engine.merging.merge import merge
from studio.errors import StudioError
from studio.home import models_folder, training_folder
from studio.library import Library
from studio.library.merging import Baked, Recipe, check
from studio.plan.merging import check as trained_alike
from tests.support import tiny, tiny_checkpoints, tiny_files, tiny_sdxl

GOOD = Recipe("mix", "a", "b")
LORA = (Baked("style"),)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    folder = home / "models"
    pipe = tiny.pipeline(folder / "a", 0)
    tiny.lora(folder / "style", pipe.unet)
    tiny.pipeline(folder / "b", 1)
    tiny.pipeline(folder / "v", 2, "v_prediction")
    tiny.pipeline(folder / "wide", 3, width=32)
    tiny.pipeline(folder / "deep", 4, layers_per_block=2)
    tiny.pipeline(folder / "paint", 5, in_channels=9)
    tiny.pipeline(folder / "paint2", 7, in_channels=9)
    tiny.pipeline(folder / "edit", 8, in_channels=8)
    tiny_sdxl.pipeline(folder / "xl")
    config = folder / "zero/scheduler/scheduler_config.json"
    tiny.pipeline(folder / "zero", 6)
    text = config.read_text().replace('"rescale_betas_zero_snr": false', '"beta_x": 0')
    config.write_text(text.replace("0.012", "0.02"))
    return home


@pytest.fixture
def home(found: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(found))
    return found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "name: needs a name"),
        ({"name": "../x"}, "name: '../x' cannot be a model's name"),
        ({"name": "Con"}, "name: 'Con' cannot be a model's name; Windows keeps it for a device"),
        (
            {"name": "lpt1.v2"},
            "name: 'lpt1.v2' cannot be a model's name; Windows keeps it for a device",
        ),
        ({"name": "a"}, "name: a is there already"),
        ({"a": ""}, "A: choose a model for A"),
        ({"b": ""}, "B: choose a second model, or a LoRA to bake in"),
        ({"a": "nowhere"}, "A: 'nowhere' is not in the library"),
        ({"b": "style"}, "B: 'style' is a lora; what can be merged is a base or a fine-tune"),
        ({"b": "v"}, "B: 'v' predicts v_prediction, 'a' epsilon"),
        ({"b": "xl"}, "B: 'xl' is of Stable Diffusion XL, 'a' of Stable Diffusion 1.x"),
        ({"b": "zero"}, "B: 'zero' was trained with another beta_end than 'a'"),
        ({"b": "wide"}, "B: down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_"),
        ({"b": "deep"}, "B: 'a' has no down_blocks.0.attentions.1"),
        ({"b": "paint"}, "B: conv_in.weight is 8×9×3×3 in 'paint', in 'a' 8×4×3×3; only"),
        (
            {"a": "paint", "b": "b", "c": "paint2"},
            "C: conv_in.weight is 8×9×3×3 in 'paint2', in 'b' 8×4×3×3; only",
        ),
        (
            {"a": "paint", "b": "paint2", "c": "b"},
            "C: conv_in.weight is 8×4×3×3 in 'b', in 'paint2' 8×9×3×3; only",
        ),
        (
            {"a": "paint", "b": "edit"},
            "B: conv_in.weight is 8×8×3×3 in 'edit', in 'paint' 8×9×3×3;",
        ),
        (
            {"name": "loras"},
            "name: 'loras' cannot be a model's name; folders called so hold models",
        ),
        ({"name": "BLIP"}, "name: 'BLIP' cannot be a model's name; folders called so hold models"),
        ({"multiplier": 1e300}, "multiplier: at most 1000000000, got 1e+300"),
        ({"loras": (Baked("style", 1.0, 1e300),)}, "loras: at most 1000000000 for 'style'"),
        ({"b": "", "loras": (Baked("style", on="B"),)}, "loras: 'style' is for the weights of 'B'"),
        ({"multiplier": math.nan}, "multiplier: a finite number, got nan"),
        ({"multiplier": math.inf}, "multiplier: a finite number, got inf"),
        ({"precision": "int8"}, "precision: fp16, bf16, fp32; got 'int8'"),
        ({"method": "median"}, "method: weighted-sum, add-difference, loras; got 'median'"),
        ({"method": "add-difference"}, "C: choose a model for C"),
        ({"c": "b", "method": "weighted-sum"}, "C: weighted-sum reads no C; leave it out"),
        ({"loras": (Baked("b"),)}, "loras: 'b' is a base; what can be baked in is a LoRA"),
        ({"loras": (Baked("ink"),)}, "loras: 'ink' is not in the library"),
        ({"loras": (Baked("style", math.nan),)}, "loras: a finite strength for 'style', got nan"),
        ({"loras": LORA * 33}, "loras: at most 32, got 33"),
        ({"a": "deep", "b": "", "loras": LORA}, ""),
        (
            {"a": "wide", "b": "", "loras": LORA},
            "style: layer down_blocks.0.attentions.0.transformer",
        ),
    ],
)
def test_it_is_refused_by_name(home: Path, change: dict, says: str) -> None:
    recipe = replace(GOOD, **change)
    if not says:
        check(recipe, Library())
        return
    with pytest.raises(StudioError) as refused:
        list(merge(recipe, Library()))
    assert str(refused.value).startswith(says)
    assert not [path for path in models_folder().iterdir() if "mix" in path.name]


def test_the_name_of_a_training_is_left_to_what_it_makes(home: Path) -> None:
    training_folder("hero").mkdir(parents=True)
    with pytest.raises(StudioError, match="name: hero is the name of a training; choose another"):
        check(replace(GOOD, name="hero"), Library())


def test_a_file_and_a_folder_of_other_channels_are_refused_before_one_is_written(
    home: Path,
) -> None:
    parts = tiny_checkpoints.parts("sd1")
    folder = models_folder()
    try:
        tiny_files.save_whole_model(folder / "file.safetensors", "sd1", parts)
        config: Any = parts["unet"].config
        wide = UNet2DConditionModel.from_config(config, in_channels=9)
        wide.save_pretrained(folder / "nine/unet")
        with pytest.raises(StudioError, match=r"^C: conv_in\.weight is 32×4×3×3 in 'file'"):
            list(merge(replace(GOOD, a="nine", b="nine", c="file", method=""), Library()))
    finally:
        (folder / "file.safetensors").unlink(missing_ok=True)
        shutil.rmtree(folder / "nine", ignore_errors=True)


def test_a_model_of_no_known_family_is_refused(home: Path) -> None:
    library = Library()
    for name in "ab":
        library._entries[name] = replace(library[name], family="")
    with pytest.raises(StudioError, match="A: 'a' is of no family that is known here"):
        check(GOOD, library)


def test_noise_is_compared_before_the_press(home: Path) -> None:
    with pytest.raises(StudioError, match="B: 'zero' was trained with another beta_end than 'a'"):
        trained_alike(replace(GOOD, b="zero"), Library())


def test_rounded_weights_are_refused_by_name(home: Path) -> None:
    library = Library()
    library._entries["b"] = replace(library["b"], quantised="torchao")
    with pytest.raises(StudioError, match="B: 'b' has weights rounded by torchao"):
        check(GOOD, library)


def test_a_disk_without_room_is_said_before_anything_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = namedtuple("usage", "total used free")(10**9, 10**9, 10**7)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(StudioError, match=r"name: needs about \d+ MB in .* free; make room"):
        check(GOOD, Library())


def test_a_model_of_the_hub_that_is_not_here_says_how_it_comes(home: Path) -> None:
    with pytest.raises(StudioError, match="B: 'owner/name' is not on this machine; fetch it first"):
        check(replace(GOOD, b="owner/name"), Library())


def test_the_size_is_about_that_of_the_outcome(home: Path) -> None:
    *_, last = merge(replace(GOOD, name="sized"), Library())
    assert last.bytes == pytest.approx(check(GOOD, Library()).bytes, rel=0.3)  # headers besides
