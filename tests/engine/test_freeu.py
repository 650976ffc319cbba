"""FreeU: against diffusers' pipelines with ``enable_freeu``, and off again for the next run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image

from studio.engine import Engine
from studio.engine.freeu import freed
from studio.engine.networks.null_text import null_text_unet
from studio.errors import BadPreset, IncompatibleModels
from studio.events import Done
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import validate
from tests.support import tiny, tiny_sana, tiny_sdxl
from tests.support.tiny_pictures import SCALE, difference, ours, theirs

ROWS = [{"prompt": "a cat", "weight": SCALE}]
FACTORS = {"b1": 1.4, "b2": 1.7, "s1": 0.8, "s2": 0.3}
ADVISED = {"b1": 1.5, "b2": 1.6, "s1": 0.9, "s2": 0.2}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    return folder


@pytest.mark.parametrize("size", [16, 24])  # 24: its levels are no powers of two
@pytest.mark.parametrize("given", [{}, FACTORS])
def test_it_is_diffusers_picture(root: Path, size: int, given: dict[str, float]) -> None:
    pipe = tiny.load(root / "base")
    plain = theirs(pipe, "a cat", size=size)
    pipe.enable_freeu(**(given or ADVISED))
    expected = theirs(pipe, "a cat", size=size)
    assert difference(plain, expected) > 5
    freeu = {"on": True, **given}
    for exact in (True, False):
        assert difference(ours(root, rows=ROWS, size=size, freeu=freeu, exact=exact), expected) <= 2
    off = {"on": False, **given}
    assert difference(ours(root, rows=ROWS, size=size, freeu=off), plain) <= 2


def test_on_sdxl_it_takes_that_family_s_factors(root: Path) -> None:
    tiny_sdxl.pipeline(root / "xl")
    pipe = tiny_sdxl.load(root)
    plain = theirs(pipe, "a cat", size=32)
    pipe.enable_freeu(b1=1.3, b2=1.4, s1=0.9, s2=0.2)
    found = ours(root, base="xl", size=32, rows=ROWS, freeu={"on": True})
    expected = theirs(pipe, "a cat", size=32)
    assert difference(found, expected) <= 2 < difference(plain, expected)


def test_with_a_controlnet(root: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)).save(
        root / "map.png"
    )
    pipe = StableDiffusionControlNetPipeline.from_pretrained(
        root / "base",
        controlnet=ControlNetModel.from_pretrained(root / "base/guide"),
        safety_checker=None,
    )
    pipe.enable_freeu(**FACTORS)
    image = Image.open(root / "map.png")
    expected = theirs(pipe, "a cat", image=image)
    control = {"control": {"type": "map", "image": "map.png", "model": "base/guide"}}
    rows = [
        {"prompt": "", "weight": 1.0, **control},
        {**ROWS[0], "reference": {"prompt": ""}, **control},
    ]
    for exact in (True, False):
        found = ours(root, rows=rows, freeu={"on": True, **FACTORS}, exact=exact)
        assert difference(found, expected) <= 2


def test_rows_of_loras_at_any_omega_are_what_they_are_one_by_one(root: Path) -> None:
    """In batches, with the shared beginning, several pictures at once, against a pass at a time."""
    rows = [
        {"prompt": "a cat", "weight": 3.0, "model": {"lora": "base/style"}},
        {"prompt": "a dog", "weight": -1.0},
        {"prompt": "a hat", "weight": 2.0, "reference": "perturbed"},
    ]
    fields: dict[str, Any] = {"rows": rows, "omega": 0.4, "size": 24}
    freeu = {"on": True, **FACTORS}
    one, batched = (ours(root, **fields, freeu=freeu, exact=exact) for exact in (True, False))
    assert difference(one, batched) <= 2 < difference(one, ours(root, **fields))


def test_a_concept_row_s_network_is_freed_too(root: Path) -> None:
    pipe = tiny.load(root / "base")
    (states,) = tiny.encode(pipe, "")
    network = null_text_unet(pipe.unet, states)
    network.save_pretrained(root / "base/concept")
    rows = [*ROWS, {"weight": 2.0, "model": "base/concept"}]
    given = {"rows": rows, "size": 16, "freeu": {"on": True, **FACTORS}}
    pipe.unet.enable_freeu(**FACTORS)
    network.body.enable_freeu(**FACTORS)
    null, cat = tiny.encode(pipe, "", "a cat")

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        free = pipe.unet(z, t, null).sample
        to_cat = pipe.unet(z, t, cat).sample - free
        return free + SCALE * to_cat + 2.0 * (network(z, t).sample - free)

    expected = tiny.ddim(pipe, predict, steps=3)
    for exact in (True, False):
        assert difference(ours(root, **given, exact=exact), expected) <= 2
    plain = {**given, "freeu": {"on": False}}
    assert difference(ours(root, **plain), expected) > 5


@pytest.mark.parametrize("more", [{"second_pass": {"scale": 2.0}}, {"sampler": {"count": 2}}])
def test_the_next_run_is_as_without(root: Path, more: dict[str, Any]) -> None:
    """Networks stay loaded, and are shared."""
    engine = Engine(device="cpu", library=Library((root,)))

    def made(**fields: Any) -> list[bytes]:
        sampler = {"steps": 3, "scheduler": "ddim", "seed": 3, **more.get("sampler", {})}
        preset = {"base": "base", "rows": ROWS, **more, **fields, "sampler": sampler}
        events = engine.generate(validate(preset))
        return [one.image.tobytes() for one in events if isinstance(one, Done)]

    before, freed_ = made(), made(freeu={"on": True})
    assert made() == before != freed_
    assert made(freeu={"on": True}) == freed_


def test_the_picture_s_preset_says_the_factors(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)))
    given = {
        "base": "base",
        "rows": ROWS,
        "sampler": {"steps": 1},
        "freeu": {"on": True, "b2": 1.1},
    }
    (done,) = (one for one in engine.generate(validate(given)) if isinstance(one, Done))
    assert done.preset.freeu.factors() == {**ADVISED, "b2": 1.1}


def test_two_runs_step_by_step_in_turn_do_not_see_each_other(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)))
    presets = [
        validate(
            {"base": "base", "rows": ROWS, "sampler": {"steps": 3, "seed": 3}, "freeu": {"on": on}}
        )
        for on in (False, True)
    ]
    alone = [_last(engine.generate(preset)) for preset in presets]
    both = [engine.generate(preset) for preset in presets]
    ends: list[bytes] = [b"", b""]
    for events in zip(*both, strict=True):  # a step of the one, a step of the other
        for place, event in enumerate(events):
            ends[place] = event.image.tobytes() if isinstance(event, Done) else ends[place]
    assert ends == alone


def _last(events: Any) -> bytes:
    return [one for one in events if isinstance(one, Done)][-1].image.tobytes()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("size", [8, 6])
def test_in_half_precision_at_any_size(dtype: torch.dtype, size: int) -> None:
    network = tiny.unet().to(dtype)
    z = torch.randn(1, 4, size, size, generator=torch.Generator().manual_seed(1)).to(dtype)
    text = torch.randn(1, 3, 16, generator=torch.Generator().manual_seed(2)).to(dtype)

    def said(factors: dict[str, float]) -> torch.Tensor:
        with torch.inference_mode(), freed(network, factors):
            return network(z, torch.tensor([9]), text).sample

    plain, free = said({}), said(FACTORS)
    assert free.dtype == dtype and bool(torch.isfinite(free).all())
    assert not torch.allclose(plain, free, atol=1e-2) and torch.equal(plain, said({}))


def test_afterwards_the_network_is_as_before_whatever_happened() -> None:
    network = tiny.unet()
    with pytest.raises(KeyError), freed(network, FACTORS):
        raise KeyError
    assert not any(getattr(block, name, None) for block in network.up_blocks for name in FACTORS)


def test_a_family_without_levels_is_refused_before_a_weight_is_read(tmp_path: Path) -> None:
    tiny_sana.pipeline(tmp_path / "sana")
    preset = validate({"base": "sana", "rows": ROWS, "freeu": {"on": True}})
    expected = (
        r"^freeu\.on: 'sana' \(SANA\) has no levels for FreeU; networks of Stable Diffusion 1"
    )
    with pytest.raises(IncompatibleModels, match=expected):
        list(Engine(device="cpu", library=Library((tmp_path,))).generate(preset))
    with pytest.raises(IncompatibleModels, match=expected):
        stated_plan(preset, Library((tmp_path,)))
    stated_plan(
        validate({"base": "sana", "rows": ROWS, "freeu": {"b1": 1.1}}), Library((tmp_path,))
    )


@pytest.mark.parametrize(("name", "given"), [("b1", 0), ("s2", -0.1), ("b2", 4.5), ("s1", "x")])
def test_a_factor_that_is_none_is_refused(name: str, given: Any) -> None:
    with pytest.raises(BadPreset, match=rf"^freeu\.{name}: "):
        validate({"freeu": {"on": True, name: given}})
