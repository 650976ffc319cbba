"""IP-Adapter image prompts: one row sees the picture, the others do not; diffusers as the oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

from studio.engine import Engine
from studio.engine.inputs.memory_check import needs_of
from studio.errors import StudioError
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny
from tests.support.tiny_image_prompts import (
    STRENGTH,
    WEIGHT,
    adapter_state,
    library,
    make,
    row,
    seeing,
    theirs,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(tmp_path_factory.mktemp("models"))


@torch.no_grad()
def by_hand(root: Path, rows: list[tuple[str, float, float]]) -> np.ndarray:
    """``ε(∅, blank) + Σ w·(ε(cat, picture) − ε(∅, blank))`` for rows (picture, weight, strength).

    The blank's strength is the mean of the positive rows' by their weights; a row without a picture
    is the plain network's.
    """
    positive = [(w, s) for name, w, s in rows if w > 0 and name]
    total = sum(w for w, _ in positive)
    blank = sum(w * s for w, s in positive) / total if total else 0.0
    pipe = StableDiffusionPipeline.from_pretrained(root / "base", safety_checker=None)
    known = {s: seeing(root, s) for s in {blank, *(s for _, _, s in rows)}}
    null, cat = (pipe.encode_prompt(p, "cpu", 1, False)[0] for p in ("", "a cat"))
    scheduler = pipe.scheduler
    scheduler.set_timesteps(3)

    def embeds(name: str, strength: float) -> dict:
        one = known[strength]
        seen = one.encode_image(Image.open(root / f"{name or 'red'}.png").convert("RGB"), "cpu", 1)
        return {"image_embeds": [(seen[0] if name else seen[1])[:, None]]}

    z = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    for t in scheduler.timesteps:
        free = known[blank].unet(z, t, null, added_cond_kwargs=embeds("", blank)).sample
        total_ = free.clone()
        for name, weight, strength in rows:
            if name:
                shown = (
                    known[strength].unet(z, t, cat, added_cond_kwargs=embeds(name, strength)).sample
                )
            else:
                shown = pipe.unet(z, t, cat).sample
            total_ += weight * (shown - free)
        z = scheduler.step(total_, t, z).prev_sample
    image = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample[0]
    return ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("exact", [True, False])
def test_a_row_sees_its_picture(root: Path, exact: bool) -> None:
    ours = make(root, exact, rows=[row("red")])[0]
    assert np.abs(ours - theirs(root, "red")).max() <= 1
    assert np.abs(ours - by_hand(root, [("red", WEIGHT, STRENGTH)])).max() <= 1
    blind = make(root, rows=[row("red", image_prompt=None)])[0]
    assert np.abs(ours - blind).max() > 1


def test_two_rows_see_two_pictures_in_one_batch(root: Path) -> None:
    rows = [row("red"), row("blue", weight=-2.0)]
    batch = make(
        root,
        exact=False,
        rows=rows,
        sampler={"steps": 3, "scheduler": "ddim", "seed": 3, "count": 2},
    )
    assert len(batch) == 2
    assert (
        np.abs(
            batch[0] - by_hand(root, [("red", WEIGHT, STRENGTH), ("blue", -2.0, STRENGTH)])
        ).max()
        <= 1
    )


def test_a_negative_prompt_beside_a_picture_is_diffusers(root: Path) -> None:
    """The negative pass sees no picture, as the adapter knows it."""
    blank = {"model": "ip/light", "blank": True, "strength": STRENGTH}
    negative = {"prompt": "dog", "weight": 1.0 - WEIGHT, "image_prompt": blank}
    found = make(root, rows=[row("red"), negative])[0]
    assert np.abs(found - theirs(root, "red", "dog")).max() <= 1
    plain = make(root, rows=[row("red"), {**negative, "image_prompt": None}])[0]
    assert np.abs(found - plain).max() > 1


def test_rows_of_different_strengths_and_one_without_a_picture(root: Path) -> None:
    weaker = row("blue", weight=2.0)
    weaker["image_prompt"] = {**weaker["image_prompt"], "strength": 0.2}
    rows = [row("red"), weaker, {"prompt": "a cat", "weight": 1.5}]
    expected = by_hand(root, [("red", WEIGHT, STRENGTH), ("blue", 2.0, 0.2), ("", 1.5, 0.0)])
    for exact in (True, False):
        assert np.abs(make(root, exact, rows=rows)[0] - expected).max() <= 1


def test_outside_its_mask_an_image_prompt_changes_nothing(root: Path) -> None:
    """One step: the far side is the run without the row, its base term too."""
    mask = np.zeros((16, 16), np.uint8)
    mask[:, :8] = 255
    Image.fromarray(mask).save(root / "left.png")
    others = {"prompt": "a dog", "weight": 3.0}
    sampler = {"steps": 1, "scheduler": "ddim", "seed": 3}
    _, two, none = (
        _latents(root, rows, sampler)
        for rows in ([], [others, row("red", mask="left.png")], [others])
    )
    rounding = 1e-6 * float(none.abs().max())
    assert torch.allclose(two[..., 4:], none[..., 4:], atol=rounding)
    assert (two[..., :4] - none[..., :4]).abs().max() > 1e-3


def _latents(root: Path, rows: list[dict], sampler: dict) -> torch.Tensor:
    from studio.engine import decoding

    kept: list[torch.Tensor] = []
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    with pytest.MonkeyPatch.context() as patch:
        whole = decoding.decode
        patch.setattr(
            "studio.engine.engine.decode",
            lambda family, vae, z, *a: (kept.append(z), whole(family, vae, z, *a))[1],
        )
        rows = rows or [{"prompt": "a", "weight": 0.0}]
        list(engine.generate(validate({"base": "base", "rows": rows, "sampler": sampler})))
    return kept[0]


def test_nothing_stays_behind(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    preset = validate({"base": "base", "rows": [row("red")], "sampler": {"steps": 2}})
    list(engine.generate(preset))
    from studio.plan import Weights

    network = engine.loader.network(Weights("base"))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"model": "base"}, "rows.0.image_prompt.model", "is a base, not an ip-adapter"),
        ({"model": "nothing"}, "rows.0.image_prompt.model", "not in the library"),
        ({"image": "absent.png"}, "rows.0.image_prompt.image", "no image"),
        ({"model": "alone/light"}, "rows.0.image_prompt.model", "needs its image encoder"),
    ],
)
def test_what_is_refused(root: Path, change: dict, field: str, told: str) -> None:
    given = row("red")
    given["image_prompt"] = {**given["image_prompt"], **change}
    with pytest.raises(StudioError, match=told) as caught:
        make(root, rows=[given])
    assert caught.value.field == field


def test_of_another_architecture(root: Path, tmp_path: Path) -> None:
    state = adapter_state(tiny.unet(), 10, 0)
    state.pop("ip_adapter.3.to_k_ip.weight")
    save_file(state, tmp_path / "cut.safetensors")
    (tmp_path / "image_encoder").symlink_to(root / "ip/image_encoder")
    library = Library((root, tmp_path))
    assert library["cut"].kind == "ip-adapter"
    engine = Engine(device="cpu", library=library, image_roots=[root])
    given = row("red")
    given["image_prompt"]["model"] = "cut"
    preset = validate({"base": "base", "rows": [given]})
    with pytest.raises(StudioError, match="of another architecture") as caught:
        list(engine.generate(preset))
    assert caught.value.field == "rows.0.image_prompt.model"
    with pytest.raises(StudioError, match="its layers are not those of 'base'") as planned:
        compile_plan(preset, library)  # before anything is loaded
    assert planned.value.field == "rows.0.image_prompt.model"


def test_an_image_encoder_is_counted_with_its_adapter(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    preset = validate({"base": "base", "rows": [row("red")]})
    plan = compile_plan(preset, engine.library)
    plain = validate({"base": "base", "rows": [{"prompt": "a cat"}]})
    without = needs_of(plain, compile_plan(plain, engine.library), engine.loader).others
    more = needs_of(preset, plan, engine.loader).others - without
    files = ("ip/light.safetensors", "ip/image_encoder/model.safetensors")
    expected = sum(t.numel() * 4 for name in files for t in load_file(root / name).values())
    assert abs(more - expected) <= 64  # its table of positions is of whole numbers
