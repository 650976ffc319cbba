"""Tiles against a loop by hand in float64; one tile is the plain run, bit for bit."""

# ruff: noqa: F811 - the fixtures are imported
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from studio.engine import Engine
from studio.engine.denoiser import Denoiser
from studio.engine.networks.loader import Loader
from studio.engine.tiled import Tiled
from studio.errors import StudioError
from studio.events import Done
from studio.library import Library
from studio.plan import Weights
from studio.plan.stated import stated_plan
from studio.plan.tiles import windows
from studio.preset import validate
from tests.support import tiny_flux
from tests.support.one_step import LEVEL, T, Z, denoiser, loader, preset_of, root  # noqa: F401

ROWS: tuple[dict[str, Any], ...] = (
    {"prompt": "cat", "weight": 4.0, "mask": "mask.png"},
    {"prompt": "bad", "weight": -1.5},
)
CONTROL = {"type": "map", "image": "map.png", "model": "base/guide"}


def tiled(loader: Loader, root: Path, rows: tuple[dict[str, Any], ...], edge: int) -> Tiled:
    """Tiles of ``edge`` pixels, of a picture of 16 whose latents are 8."""
    whole = denoiser(loader, root, preset_of(*rows))
    found = windows((16, 16), edge, 2)
    return Tiled.of(whole, found, 2, (8, 8), [None] * len(found))


@pytest.mark.parametrize("rows", [ROWS, ({**ROWS[0], "control": CONTROL},)], ids=["plain", "map"])
def test_one_tile_is_the_plain_run_bit_for_bit(
    loader: Loader, root: Path, rows: tuple[dict[str, Any], ...]
) -> None:
    plain = denoiser(loader, root, preset_of(*rows))
    one = tiled(loader, root, rows, 16)
    assert torch.equal(one.predict(0, Z, T, *LEVEL).output, plain(0, Z, T, *LEVEL))
    assert one.forwards == plain.forwards and one.forwards_of == plain.forwards_of
    (told,), (by_hand,) = one.assembly.sizes, plain.assembly.sizes
    assert told.keys() == by_hand.keys()
    for row, sizes in by_hand.items():
        assert told[row] == pytest.approx(sizes)


def test_tiles_are_averaged_by_smooth_windows(loader: Loader, root: Path) -> None:
    """Four overlapping tiles, each with its part of the mask, by a loop over them."""
    parts = tiled(loader, root, ROWS, 10)
    assert len(parts.places) == 4
    network, text = loader.network(Weights("base")), loader.text_encoder("base")
    states = {p: loader.family("base").encode_text(text, [p]) for p in ("", "cat", "bad")}
    mask = denoiser(loader, root, preset_of(*ROWS)).masks["mask.png"].double()

    def eps(z: Tensor, prompt: str) -> Tensor:
        with torch.no_grad():
            said = [network(one[None], T, encoder_hidden_states=states[prompt]).sample for one in z]
        return torch.cat(said)

    bump = torch.sin(torch.pi * (torch.arange(5).double() + 0.5) / 5).square()
    total, weight = torch.zeros_like(Z), torch.zeros(8, 8).double()
    for top in (0, 3):
        for left in (0, 3):
            at = (..., slice(top, top + 5), slice(left, left + 5))
            free = eps(Z[at], "")
            sum_ = free + 4.0 * mask[at] * (eps(Z[at], "cat") - free)
            total[at] += bump[:, None] * bump * (sum_ - 1.5 * (eps(Z[at], "bad") - free))
            weight[at] += bump[:, None] * bump
    got = parts.predict(0, Z, T, *LEVEL).output
    assert (got - total / weight).abs().max() < 1e-8
    assert parts.forwards == 4 * 3 * len(Z) and parts.forwards_of[0] == 12


def test_a_control_image_is_cut_to_its_tile(loader: Loader, root: Path) -> None:
    rows = ({"prompt": "cat", "weight": 2.0, "control": CONTROL},)
    parts = tiled(loader, root, rows, 10)
    whole = denoiser(loader, root, preset_of(*rows))
    guides = [next(one.guides[0] for one in tile.passes if one.guides) for tile in parts.denoisers]
    (own,) = [guide for one in whole.passes for guide in one.guides]
    assert torch.equal(guides[3].map, own.map[..., 6:16, 6:16])
    assert guides[0].known is not guides[1].known
    assert torch.isfinite(parts.predict(0, Z, T, *LEVEL).output).all()


def test_a_row_s_cosine_is_that_of_where_its_mask_is_white(loader: Loader, root: Path) -> None:
    """A row by itself points where the sum does: in the one tile of four that its mask touches."""
    corner = np.zeros((16, 16), np.uint8)
    corner[12:, 12:] = 255
    Image.fromarray(corner).save(root / "corner.png")
    parts = tiled(loader, root, ({"prompt": "cat", "weight": 4.0, "mask": "corner.png"},), 10)
    parts.predict(0, Z, T, *LEVEL)
    (sizes,) = parts.assembly.sizes
    (own,) = parts.denoisers[3].assembly.sizes
    assert sizes[0] == pytest.approx((own[0][0] / 2, 1.0))


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root])


def make(engine: Engine, size: int, explain: bool = False, **sampler: Any) -> Done:
    given = {"steps": 4, "scheduler": "ddim", "seed": 3, "width": size, "height": size, **sampler}
    preset = validate({"base": "base", "rows": [*ROWS], "sampler": given})
    return [e for e in engine.generate(preset, explain=explain) if isinstance(e, Done)][-1]


def pixels(done: Done) -> np.ndarray:
    return np.asarray(done.image).astype(int)


def test_a_picture_of_the_base_s_size_is_the_same_with_tiles(engine: Engine) -> None:
    assert np.array_equal(pixels(make(engine, 16)), pixels(make(engine, 16, tiles=True)))


def test_a_large_picture_in_tiles(engine: Engine) -> None:
    """Its passes are counted as they were stated, also where an effort leaves some out."""
    plain, done = make(engine, 32), make(engine, 32, tiles=True)
    assert done.image.size == (32, 32) and done.forwards == 9 * plain.forwards
    assert np.abs(pixels(done) - pixels(plain)).max() > 2
    assert {one.row for one in done.shares} == {0, 1} and done.preset.sampler.tiles
    fast = make(engine, 32, tiles=True, effort=0.5, steps=12)
    assert fast.saved > 0 and fast.forwards + fast.saved == 9 * 3 * 12 and fast.estimated_error > 0
    with pytest.raises(StudioError, match=r"sampler.tiles: .* cannot be explained"):
        make(engine, 32, tiles=True, explain=True)


def test_tiles_are_denoised_at_the_times_of_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flow whose shift grows with what the network sees, which is one tile."""
    tiny_flux.pipeline(tmp_path / "flux")
    library = Library((tmp_path,))
    monkeypatch.setitem(library._entries, "flux", replace(library["flux"], size=64))
    edge, seen = library["flux"].size, list[float]()
    predict = Denoiser.predict

    def watched(self: Denoiser, step: int, z: Tensor, t: Tensor, *level: Tensor) -> Any:
        seen.append(float(t))
        return predict(self, step, z, t, *level)

    def times(size: int, tiles: bool) -> tuple[list[float], int]:
        """Those of a run, and the evaluations in which a row acts that ends early."""
        given = {"steps": 8, "width": size, "height": size, "tiles": tiles, "seed": 1}
        rows = [{"prompt": "cat", "weight": 2.0, "range": [0.0, 0.4]}]
        preset = validate({"base": "flux", "rows": rows, "sampler": given})
        seen.clear()
        done = [
            e for e in Engine(device="cpu", library=library).generate(preset) if isinstance(e, Done)
        ]
        stated = stated_plan(preset, library)
        assert stated.forwards_total == done[-1].forwards
        return sorted(set(seen), reverse=True), done[-1].forwards // max(1, len(stated.tiles))

    monkeypatch.setattr(Denoiser, "predict", watched)
    one, whole, parts = times(edge, False), times(4 * edge, False), times(4 * edge, True)
    assert parts == one and whole[0] != one[0]
