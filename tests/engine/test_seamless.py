"""Edges that meet: against diffusers' pipeline whose convolutions are circular, and by rolling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from studio.engine import Engine
from studio.engine.decoding import decode
from studio.engine.families import family_named
from studio.engine.seamless import HEIGHT, WIDTH, wrapping
from studio.errors import BadPreset, IncompatibleModels
from studio.events import Done
from studio.library import Library
from studio.preset import validate
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, difference, ours, theirs

ROWS = [{"prompt": "a cat", "weight": SCALE}]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    torch.manual_seed(3)
    save_file(
        {
            "lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight": torch.randn(2, 8, 3, 3),
            "lora_unet_down_blocks_0_resnets_0_conv1.lora_up.weight": torch.randn(8, 2, 1, 1) / 9,
        },
        folder / "ink.safetensors",
    )
    return folder


def circular(*networks: nn.Module) -> None:
    """As scripts for seamless pictures set diffusers' networks up."""
    for network in networks:
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.padding_mode = "circular"


def test_it_is_diffusers_picture_of_circular_convolutions(root: Path) -> None:
    pipe = tiny.load(root / "base")
    plain = theirs(pipe, "a cat", size=24)
    circular(pipe.unet, pipe.vae.decoder, pipe.vae.post_quant_conv)
    expected = theirs(pipe, "a cat", size=24)
    assert difference(plain, expected) > 5
    assert difference(ours(root, rows=ROWS, size=24, seamless="both"), expected) <= 2
    assert difference(ours(root, rows=ROWS, size=24), plain) <= 2


def test_what_a_lora_adds_to_a_convolution_meets_too(root: Path) -> None:
    pipe = tiny.load(root / "base")
    layer = pipe.unet.down_blocks[0].resnets[0].conv1
    file = tiny_factors(root)
    with torch.no_grad():  # merged by hand
        change = torch.einsum("or,rihw->oihw", file["up"][:, :, 0, 0], file["down"])
        layer.weight += change
    circular(pipe.unet, pipe.vae.decoder, pipe.vae.post_quant_conv)
    expected = theirs(pipe, "a cat", size=24)
    rows = [{"prompt": "a cat", "weight": SCALE, "model": {"lora": "ink"}}]
    found = ours(root, rows=rows, size=24, seamless="both", omega=1.0)
    assert difference(found, expected) <= 2
    assert difference(found, ours(root, rows=ROWS, size=24, seamless="both")) > 5


def tiny_factors(root: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    found = load_file(root / "ink.safetensors")
    return {name.split(".")[-2].removeprefix("lora_"): value for name, value in found.items()}


@pytest.mark.parametrize(("axis", "other"), [(WIDTH, HEIGHT), (HEIGHT, WIDTH)])
def test_along_one_axis_the_picture_can_be_rolled_and_along_the_other_not(
    axis: int, other: int
) -> None:
    network = tiny.unet()
    z, t = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([9])
    text = torch.randn(1, 3, 16, generator=torch.Generator().manual_seed(2))

    def said(given: torch.Tensor) -> torch.Tensor:
        with torch.no_grad(), wrapping([network], (axis,)):
            return network(given, t, text).sample

    for along, same in ((axis, True), (other, False)):
        rolled = torch.roll(said(torch.roll(z, 2, along)), -2, along)
        assert torch.allclose(rolled, said(z), atol=1e-5) is same


def test_afterwards_the_network_is_as_before() -> None:
    network = tiny.unet()
    with pytest.raises(KeyError), wrapping([network], (WIDTH, HEIGHT)):
        raise KeyError
    assert not any("_conv_forward" in layer.__dict__ for layer in network.modules())


def test_copies_of_the_picture_show_no_seam(root: Path) -> None:
    """Across the edge the pixels differ as neighbours do."""

    def seam(picture: np.ndarray, axis: int) -> float:
        steps = np.abs(np.diff(picture, axis=axis)).mean()
        ends = np.abs(picture.take(0, axis) - picture.take(-1, axis)).mean()
        return float(ends / steps)

    made: dict[str, Any] = {
        way: ours(root, rows=ROWS, size=48, seamless=way) for way in ("off", "x", "y", "both")
    }
    across = {way: seam(picture, 1) for way, picture in made.items()}
    down = {way: seam(picture, 0) for way, picture in made.items()}
    assert max(across["x"], across["both"]) < min(across["off"], across["y"])
    assert max(down["y"], down["both"]) < min(down["off"], down["x"])


def test_what_is_decoded_in_tiles_meets_too(root: Path) -> None:
    """Where memory is short; each tile has edges of its own."""
    pipe = tiny.load(root / "base")
    vae: Any = pipe.vae
    vae.tile_latent_min_size, vae.tile_sample_min_size = 24, 48
    latent = torch.randn(1, 4, 40, 40, generator=torch.Generator().manual_seed(4))
    family = family_named("sd1")
    (whole,) = decode(family, vae, latent, 2, (WIDTH, HEIGHT))

    class Short:
        """One whose whole decoding does not fit."""

        record = family.record

        def decode(self, vae: Any, latent: torch.Tensor) -> Any:
            if not vae.use_tiling:
                raise MemoryError("not enough memory")
            return family.decode(vae, latent)

    short: Any = Short()
    (tiled,) = decode(short, vae, latent, 2, (WIDTH, HEIGHT))
    (plain,) = decode(short, vae, latent, 2)
    assert tiled.size == whole.size == plain.size == (80, 80)
    edges = [np.asarray(one).astype(int)[:, 0] for one in (whole, tiled, plain)]
    assert difference(edges[1], edges[0]) < difference(edges[2], edges[0]) / 3


def test_a_second_pass_meets_as_the_first_does(root: Path) -> None:
    again = {"scale": 2.0, "strength": 0.7}
    sampler = {"steps": 3, "scheduler": "ddim", "seed": 3}
    one = {"base": "base", "rows": ROWS, "second_pass": again, "sampler": sampler}
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    plain, meeting = (
        next(event for event in engine.generate(validate(given)) if isinstance(event, Done))
        for given in (one, {**one, "seamless": "both"})
    )
    assert meeting.preset.seamless == "both" and plain.image.tobytes() != meeting.image.tobytes()


@pytest.mark.parametrize(
    "parts",
    [
        {"sampler": {"tiles": True}},
        {"second_pass": {"scale": 2.0, "tiles": True}},
        {"init": {"image": "a.png", "mask": "m.png", "area": "mask"}},
    ],
)
def test_what_is_made_in_parts_has_no_edges_that_meet(parts: dict[str, Any]) -> None:
    with pytest.raises(BadPreset, match=r"^seamless: the edges"):
        validate({"seamless": "x", **parts})


def test_a_family_that_numbers_its_places_is_refused(root: Path, tmp_path: Path) -> None:
    from tests.support.tiny_sana import pipeline

    pipeline(tmp_path / "sana")
    with pytest.raises(IncompatibleModels, match=r"^seamless: 'sana' \(SANA\) knows every place"):
        preset = validate({"base": "sana", "rows": ROWS, "seamless": "both"})
        list(Engine(device="cpu", library=Library((tmp_path,))).generate(preset))
