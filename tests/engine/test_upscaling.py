"""Upscalers: what the package that knows their kinds makes of a picture, and diffusers of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image
from safetensors.torch import save_file

from studio.engine import Engine
from studio.errors import (
    IncompatibleModels,
    MissingModel,
    StudioError,
)
from studio.events import Done, Preview
from studio.library import Library
from studio.library import upscalers as known_upscalers
from studio.library.missing import Missing, missing
from studio.plan.stated import stated_plan
from studio.preset import Preset, validate
from studio.workers.models import named_models
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference, theirs
from tests.support.tiny_upscaler import noise, pixels, sizes_given, tiny_upscaler, write_upscaler

ROWS = [{"prompt": "a cat", "weight": SCALE}]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    write_upscaler(folder / "upscale_models/4x.safetensors", tiny_upscaler(4))
    write_upscaler(folder / "anywhere/2x.safetensors", tiny_upscaler(2), "params_ema.")
    write_upscaler(folder / "upscale_models/grey.safetensors", tiny_upscaler(2, channels=1))
    save_file({"body.9.weight": torch.ones(1)}, folder / "upscale_models/other.safetensors")
    (folder / "upscale_models/broken.safetensors").write_bytes(b"\x08")
    pixels = np.random.default_rng(2).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "photo.png")
    return folder


def preset_of(**fields: Any) -> Preset:
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED, **fields.pop("sampler", {})}
    return validate({"base": "base", "rows": ROWS, **fields, "sampler": sampler})


def made(root: Path, preset: Preset) -> list[Any]:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    return list(engine.generate(preset))


def last(root: Path, preset: Preset) -> Done:
    return next(event for event in made(root, preset) if isinstance(event, Done))


def by_itself(path: Path, image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture as the package's own call enlarges it, at once."""
    from spandrel import ModelLoader

    network: Any = ModelLoader().load_from_file(path)
    given = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 255
    array = network(given)[0].permute(1, 2, 0).numpy()
    return Image.fromarray((array * 255).round().astype(np.uint8)).resize(
        size, Image.Resampling.LANCZOS
    )


def test_a_second_pass_begins_with_what_the_upscaler_makes(root: Path) -> None:
    pipe = tiny.load(root / "base")
    first = Image.fromarray(theirs(pipe, "a cat").astype(np.uint8))
    again = StableDiffusionImg2ImgPipeline(**pipe.components, requires_safety_checker=False)
    again.set_progress_bar_config(disable=True)
    start = by_itself(root / "upscale_models/4x.safetensors", first, (32, 32))
    expected = again(
        "a cat",
        image=start,
        strength=0.5,
        guidance_scale=SCALE,
        num_inference_steps=6,
        generator=torch.Generator().manual_seed(SEED),
    ).images[0]
    asked = {"scale": 2.0, "strength": 0.5, "steps": 6, "upscaler": "upscale_models/4x"}
    found = last(root, preset_of(second_pass=asked))
    plain = last(root, preset_of(second_pass={**asked, "upscaler": ""}))
    assert difference(pixels(found.image), pixels(expected)) <= 2
    assert difference(pixels(plain.image), pixels(expected)) > 9
    assert found.preset.second_pass.upscaler == "upscale_models/4x"


def test_without_strength_it_is_enlarged_and_nothing_else(root: Path) -> None:
    first = last(root, preset_of())
    asked = {"scale": 3.0, "strength": 0.0, "upscaler": "upscale_models/4x"}
    preset = preset_of(second_pass=asked)
    events = made(root, preset)
    (done,) = [event for event in events if isinstance(event, Done)]
    expected = by_itself(root / "upscale_models/4x.safetensors", first.image, (48, 48))
    assert difference(pixels(done.image), pixels(expected)) <= 1
    assert done.forwards == first.forwards and len(done.shares) == len(first.shares)
    assert sum(isinstance(event, Preview) for event in events) == STEPS
    plan = stated_plan(preset, Library((root,)))
    assert plan.second is not None and plan.second.forwards_total == 0
    assert not [note for note in plan.notes if "strength" in note or "acts at no step" in note]


def test_what_is_seen_of_a_picture_to_start_from_is_enlarged(root: Path) -> None:
    init = {"image": "photo.png", "strength": 0.0, "upscaler": "anywhere/2x"}
    preset = preset_of(init=init, sampler={"width": 96, "height": 96, "count": 2})
    found = [event for event in made(root, preset) if isinstance(event, Done)]
    middle = Image.open(root / "photo.png").crop((10, 0, 50, 40))
    path = write_upscaler(root / ".same/2x.safetensors", tiny_upscaler(2))
    expected = by_itself(path, by_itself(path, middle, (80, 80)), (96, 96))
    for number, one in enumerate(found):
        assert difference(pixels(one.image), pixels(expected)) <= 2
        assert (one.seed, one.forwards, one.index) == (SEED + number, 0, number)
    notes = stated_plan(preset, Library((root,)), [root]).notes
    assert [note.partition(":")[0] for note in notes] == ["init.strength", "sampler.count"]


def test_one_that_is_large_enough_is_left_to_itself(root: Path) -> None:
    init = {"image": "photo.png", "strength": 0.0}
    sampler = {"width": 32, "height": 32}
    plain = last(root, preset_of(init=init, sampler=sampler))
    same = last(root, preset_of(init={**init, "upscaler": "anywhere/2x"}, sampler=sampler))
    assert plain.image.tobytes() == same.image.tobytes()
    assert same.notes == (
        "init.upscaler: the picture is as large as is asked for, and is not enlarged",
    )


def test_a_narrow_picture_is_cropped_before_it_is_enlarged(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise(900, 9).save(root / "narrow.png")
    sizes = sizes_given(monkeypatch)
    init = {"image": "narrow.png", "strength": 0.0, "upscaler": "upscale_models/4x"}
    last(root, preset_of(init=init, sampler={"width": 48, "height": 48}))
    assert sizes == [(9, 9), (36, 36)]


def test_of_many_pictures_from_one_start_it_is_enlarged_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = sizes_given(monkeypatch)
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    noise(12, 8).save(root / "other.png")

    def enlarged(image: str, width: int = 96, **more: Any) -> Image.Image:
        init = {"image": image, "strength": 0.0, "upscaler": "upscale_models/4x"}
        preset = preset_of(init=init, sampler={"width": width, "height": 64, **more})
        return next(one.image for one in engine.generate(preset) if isinstance(one, Done))

    first = enlarged("photo.png")
    assert enlarged("photo.png", seed=9).tobytes() == first.tobytes() and len(sizes) == 1
    wide, other = enlarged("photo.png", 128), enlarged("other.png")
    assert wide.size == (128, 64) and other.tobytes() != first.tobytes() and len(sizes) > 2
    count = len(sizes)
    assert enlarged("other.png").tobytes() == other.tobytes() and len(sizes) == count


def test_a_start_outlives_the_second_passes_that_one_network_enlarges_too(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is asked for again stays longer than what is not."""
    sizes = sizes_given(monkeypatch)
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    name = "upscale_models/4x"
    second_pass = {"scale": 2.0, "strength": 0.0, "upscaler": name}

    def enlarged(width: int, **more: Any) -> int:
        """How often the network was asked for one."""
        before = len(sizes)
        init = {"image": "photo.png", "strength": 0.0, "upscaler": name}
        preset = preset_of(init=init, sampler={"width": width, "height": 64}, **more)
        assert any(isinstance(one, Done) for one in engine.generate(preset))
        return len(sizes) - before

    found = [enlarged(96, second_pass=second_pass) for _ in range(4)]
    second = found[1]
    assert second > 0 and found == [second + enlarged(128)] + 3 * [second]
    for width in (96, 80):  # of three sizes the last two are known
        enlarged(width)
    assert enlarged(96) == 0 and enlarged(128) > 0


def test_one_that_only_mends_is_used_at_any_size(root: Path) -> None:
    write_upscaler(root / "upscale_models/1x.safetensors", tiny_upscaler(1))
    init = {"image": "photo.png", "strength": 0.0, "upscaler": "upscale_models/1x"}
    found = last(root, preset_of(init=init, sampler={"width": 24, "height": 16}))
    photo = Image.open(root / "photo.png").resize((24, 16), Image.Resampling.LANCZOS)
    expected = by_itself(root / "upscale_models/1x.safetensors", photo, (24, 16))
    assert difference(pixels(found.image), pixels(expected)) <= 1 and not found.notes


def test_edges_that_meet_meet_in_what_is_only_enlarged(root: Path) -> None:
    """As though copies stood around the picture."""
    asked = {"scale": 4.0, "strength": 0.0, "upscaler": "upscale_models/4x"}
    first = last(root, preset_of(seamless="both"))
    found = last(root, preset_of(seamless="both", second_pass=asked))
    copies = Image.fromarray(np.tile(np.asarray(first.image), (7, 7, 1)))
    path = root / "upscale_models/4x.safetensors"
    around = by_itself(path, copies, (448, 448)).crop((192, 192, 256, 256))
    alone = by_itself(path, first.image, (64, 64))
    close = difference(pixels(found.image), pixels(around))
    assert close < 3 < difference(pixels(alone), pixels(around))


def test_what_cannot_enlarge_is_said_before_the_first_step(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    asked = {"scale": 2.0, "upscaler": "upscale_models/other"}
    with pytest.raises(IncompatibleModels) as refused:
        next(engine.generate(preset_of(second_pass=asked)))
    assert refused.value.field == "second_pass.upscaler"


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("gone", MissingModel, "'gone' is not in the library"),
        ("upscale_models/gone", MissingModel, "'upscale_models/gone' is not in the library"),
        ("base", IncompatibleModels, "'base' is a base and no upscaler"),
        ("upscale_models/broken", IncompatibleModels, "cannot be used: is damaged"),
        ("upscale_models/other", IncompatibleModels, "of no kind of upscaler that is known here"),
        ("upscale_models/grey", IncompatibleModels, "takes 1 channels and makes 1"),
    ],
)
def test_what_enlarges_nothing_is_refused_by_its_field(
    name: str, error: type[StudioError], words: str, root: Path
) -> None:
    with pytest.raises(error) as refused:
        made(root, preset_of(second_pass={"scale": 2.0, "upscaler": name}))
    assert refused.value.field == "second_pass.upscaler" and words in refused.value.message
    init = {"image": "photo.png", "upscaler": name}
    with pytest.raises(error) as refused:
        made(root, preset_of(init=init, sampler={"width": 96, "height": 64}))
    assert refused.value.field == "init.upscaler"


def test_without_the_package_it_is_listed_with_the_way_to_have_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_upscalers, "PACKAGE", "no_such_package")
    named = {one.id: one.problem for one in Library((root,)).refused()}
    assert "pip install -r requirements-upscale.txt" in named["upscale_models/4x"]


def test_whoever_lists_a_preset_s_models_lists_them(root: Path) -> None:
    library = Library((root,))
    again = {"scale": 2.0, "upscaler": "upscale_models/4x"}
    here, gone = (
        preset_of(second_pass=again),
        preset_of(second_pass={**again, "upscaler": "upscale_models/gone"}),
    )
    assert not missing(here, library)
    assert missing(gone, library) == [Missing("second_pass.upscaler", "upscale_models/gone", "")]
    assert "upscale_models/4x" in named_models(here, stated_plan(here, library), library)
    assert not preset_of(second_pass={**again, "scale": 1.0}).upscalers()
