"""T2I-Adapters and ControlNet Unions in a row, against diffusers' own pipelines of each."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetUnionModel,
    StableDiffusionAdapterPipeline,
    StableDiffusionXLAdapterPipeline,
    StableDiffusionXLControlNetUnionPipeline,
    T2IAdapter,
)
from PIL import Image
from safetensors.torch import save_file

from studio.engine import Engine
from studio.engine.families.network_configs import UNION_HEAD_WIDTH
from studio.errors import StudioError
from studio.events import Done
from studio.library import Library
from studio.library.control_networks import CONTROL_NETWORKS
from studio.library.t2i_shapes import t2i_config
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny, tiny_checkpoints, tiny_sdxl
from tests.support.tiny_pictures import theirs

SAMPLER = {"steps": 3, "scheduler": "ddim", "seed": 3}
UNION = {"num_control_type": 6, "num_trans_channel": 8, "num_trans_head": 2, "num_proj_channel": 8}


def louder(network: torch.nn.Module, seed: int) -> None:
    """No tensor that is zero, so that nothing of the network can be left out unseen."""
    torch.manual_seed(seed)
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.05)


def adapter(kind: str, channels: int = 3) -> T2IAdapter:
    torch.manual_seed(3)
    return T2IAdapter(channels, [8, 16], 2, downscale_factor=2, adapter_type=kind)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "base")
    pipe = tiny_sdxl.pipeline(folder / "xl")
    adapter("full_adapter").save_pretrained(folder / "t2i/colour")
    adapter("full_adapter", 1).save_pretrained(folder / "t2i/canny")
    torch.manual_seed(4)
    # Its first features are as wide as what follows the first level, as the published ones' are.
    xl = T2IAdapter(3, [8, 16, 16, 16], 1, downscale_factor=4, adapter_type="full_adapter_xl")
    xl.save_pretrained(folder / "t2i/xl")
    union: Any = ControlNetUnionModel.from_config(
        {
            **pipe.unet.config,
            "_class_name": "ControlNetUnionModel",
            "conditioning_embedding_out_channels": (4, 8),
            **UNION,
        }
    )
    louder(union, 5)
    union.save_pretrained(folder / "union")
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "map.png")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root])


def made(engine: Engine, base: str, rows: list[dict], **sampler: Any) -> list[np.ndarray]:
    preset = validate({"base": base, "rows": rows, "sampler": {**SAMPLER, **sampler}})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


def controlled(model: str, kind: str = "map", strength: float = 0.7) -> list[dict]:
    """The map under both halves of CFG, as diffusers' pipelines have it."""
    control = {"type": kind, "image": "map.png", "strength": strength, "model": model}
    return [
        {"prompt": "", "weight": 1.0, "control": control},
        {"prompt": "cat", "weight": 7.5, "reference": {"prompt": ""}, "control": control},
    ]


@pytest.mark.parametrize(("name", "mode"), [("colour", "RGB"), ("canny", "L")])
def test_a_t2i_adapter_is_diffusers(engine: Engine, root: Path, name: str, mode: str) -> None:
    pipe = StableDiffusionAdapterPipeline.from_pretrained(
        root / "base",
        adapter=T2IAdapter.from_pretrained(root / "t2i" / name),
        safety_checker=None,
    )
    image = Image.open(root / "map.png").convert(mode)
    expected = theirs(pipe, "cat", image=image, guidance_scale=7.5, adapter_conditioning_scale=0.7)
    ours = made(engine, "base", controlled(f"t2i/{name}"))[0]
    assert np.abs(ours - expected).max() <= (1 if mode == "RGB" else 3)  # theirs rounds the grey
    assert np.abs(ours - made(engine, "base", controlled(f"t2i/{name}", strength=0.0))[0]).max() > 5


def test_an_xl_adapter_is_diffusers(engine: Engine, root: Path) -> None:
    pipe = StableDiffusionXLAdapterPipeline.from_pretrained(
        root / "xl", adapter=T2IAdapter.from_pretrained(root / "t2i/xl")
    )
    expected = theirs(
        pipe,
        "cat",
        image=Image.open(root / "map.png"),
        guidance_scale=7.5,
        adapter_conditioning_scale=0.7,
    )
    assert np.abs(made(engine, "xl", controlled("t2i/xl"))[0] - expected).max() <= 1


def test_an_adapter_reaches_only_its_own_row(engine: Engine) -> None:
    rows = [controlled("t2i/xl")[1], {"prompt": "dog", "weight": 2.0}]
    batch = made(engine, "xl", rows, count=2)
    exact = Engine(
        device="cpu", library=engine.library, image_roots=engine.image_roots, exact=True
    )  # one forward a pass, nothing shared
    for index, image in enumerate(batch):
        assert np.abs(image - made(exact, "xl", rows, seed=3 + index)[0]).max() <= 1


@pytest.mark.parametrize(("kind", "mode"), [("canny", 3), ("tile", 6)])
def test_a_union_is_diffusers_and_is_given_the_kind(
    engine: Engine, root: Path, kind: str, mode: int
) -> None:
    rows = controlled("union", kind)
    if mode >= UNION["num_control_type"]:
        with pytest.raises(StudioError, match="first 6 kinds") as caught:
            made(engine, "xl", rows)
        assert caught.value.field == "control.type"
        return
    from studio.preprocessors.plain import canny

    pipe = StableDiffusionXLControlNetUnionPipeline.from_pretrained(
        root / "xl", controlnet=ControlNetUnionModel.from_pretrained(root / "union")
    )
    drawn = canny(Image.open(root / "map.png"))
    arguments = {"control_mode": [mode], "controlnet_conditioning_scale": 0.7}
    expected = theirs(pipe, "cat", control_image=[drawn], guidance_scale=7.5, **arguments)
    assert np.abs(made(engine, "xl", rows)[0] - expected).max() <= 1


def test_a_union_has_to_know_what_a_finished_map_shows(engine: Engine) -> None:
    with pytest.raises(StudioError, match="what its map shows: canny") as caught:
        made(engine, "xl", controlled("union"))
    assert caught.value.field == "rows.0.control.type"


def test_a_finished_map_is_taken_as_it_is(engine: Engine, root: Path) -> None:
    """By a Union, which has to know what it shows, it is diffusers' run on the map itself."""
    pipe = StableDiffusionXLControlNetUnionPipeline.from_pretrained(
        root / "xl", controlnet=ControlNetUnionModel.from_pretrained(root / "union")
    )
    arguments = {"control_mode": [1], "controlnet_conditioning_scale": 0.7}
    shown = [Image.open(root / "map.png")]
    expected = theirs(pipe, "cat", control_image=shown, guidance_scale=7.5, **arguments)
    rows = controlled("union", "depth")
    for row in rows:
        row["control"] = {**row["control"], "finished": True}
    assert np.abs(made(engine, "xl", rows)[0] - expected).max() <= 1


def test_a_union_in_one_file_is_the_folder(tmp_path: Path) -> None:
    """Its config is read from its shapes: that of diffusers' class, whose own sizes are the published
    ones'; only the width of a head cannot be seen in a tensor, and is theirs."""
    from studio.engine.networks.loader import Loader
    from studio.engine.networks.registry import Registry

    unet, width = tiny_checkpoints.unet("sdxl"), 4 * UNION_HEAD_WIDTH
    plain = inspect.signature(ControlNetUnionModel.__init__).parameters
    heads = {name: plain[name].default for name in ("num_trans_channel", "num_trans_head")}
    assert heads["num_trans_channel"] // heads["num_trans_head"] == UNION_HEAD_WIDTH
    union: Any = ControlNetUnionModel.from_config(
        {
            **unet.config,
            "_class_name": "ControlNetUnionModel",
            "conditioning_embedding_out_channels": (4, 8),
            **UNION,
            "block_out_channels": (width, 64, 64),
            "num_trans_channel": width,
            "num_trans_head": 4,
            "num_proj_channel": width,
        }
    )
    louder(union, 7)
    save_file(union.state_dict(), tmp_path / "union.safetensors")
    library = Library((tmp_path,))
    entry = library["union"]
    assert (entry.kind, entry.form, entry.family) == ("controlnet", "controlnet-union", "sdxl")
    loader = Loader(library, Registry(2**30), torch.device("cpu"), torch.float32)
    loaded: Any = loader.controlnet("union")
    same = ("num_trans_head", "num_trans_layer", "num_proj_channel", "num_control_type")
    assert [loaded.config[name] for name in same] == [union.config[name] for name in same]
    pooled = unet.config.projection_class_embeddings_input_dim - 6 * (
        unet.config.addition_time_embed_dim
    )
    kind = torch.zeros(1, 6)
    kind[:, 3] = 1
    given = {
        "encoder_hidden_states": torch.randn(1, 7, union.config.cross_attention_dim),
        "controlnet_cond": [torch.rand(1, 3, 16, 16)],
        "control_type": kind,
        "control_type_idx": [3],
        "added_cond_kwargs": {
            "text_embeds": torch.randn(1, pooled),
            "time_ids": torch.rand(1, 6),
        },
    }
    noisy = torch.randn(1, 4, 8, 8)
    with torch.no_grad():
        (ours, mine), (theirs_, middle) = (
            network(noisy, torch.tensor(3), return_dict=False, **given)
            for network in (loaded, union)
        )
    for left, right in zip([*ours, mine], [*theirs_, middle], strict=True):
        assert torch.allclose(left, right, rtol=0, atol=1e-5 * float(right.abs().max()))


def test_forms_and_families_in_the_library(root: Path) -> None:
    library = Library((root,))
    assert {e.id: (e.form, e.family) for e in library.entries() if e.kind == "controlnet"} == {
        "t2i/colour": ("t2i-adapter", "sd1"),
        "t2i/canny": ("t2i-adapter", "sd1"),
        "t2i/xl": ("t2i-adapter", "sdxl"),
        "union": ("controlnet-union", "sdxl"),
    }
    assert set(CONTROL_NETWORKS) >= {"controlnet", "controlnet-union", "t2i-adapter"}
    preset = validate({"base": "xl", "rows": controlled("t2i/colour")})
    with pytest.raises(StudioError, match=r"for Stable Diffusion 1\.x"):
        compile_plan(preset, library)


def original(network: T2IAdapter) -> dict[str, torch.Tensor]:
    """The tensors as the authors' code names them."""
    light, found = network.config.adapter_type == "light_adapter", {}
    for key, value in network.state_dict().items():
        parts = key.removeprefix("adapter.").split(".")
        if parts[0] == "body" and parts[2] == "resnets":
            level, block, rest = parts[1], parts[3], parts[4:]
            inner = [level, "body", block] if light else [str(2 * int(level) + int(block))]
            parts = ["body", *inner, *rest]
        elif parts[0] == "body" and not light:
            parts = ["body", str(2 * int(parts[1])), *parts[2:]]
        found[".".join(parts)] = value.clone().contiguous()
    return found


@pytest.mark.parametrize("kind", ["full_adapter", "light_adapter"])
@pytest.mark.parametrize("named", ["original", "diffusers"])
def test_one_file_is_the_folder(kind: str, named: str, tmp_path: Path) -> None:
    from studio.engine.networks.loader import Loader
    from studio.engine.networks.registry import Registry

    network = adapter(kind)
    louder(network, 6)
    state = original(network) if named == "original" else network.state_dict()
    save_file(state, tmp_path / "t2i_depth.safetensors")
    library = Library((tmp_path,))
    entry = library["t2i_depth"]
    assert (entry.form, entry.family, entry.control) == ("t2i-adapter", "sd1", "depth")
    loader = Loader(library, Registry(2**30), torch.device("cpu"), torch.float32)
    loaded = loader.controlnet("t2i_depth")
    pixels = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        for ours, expected in zip(loaded(pixels), network(pixels), strict=True):
            assert torch.equal(ours, expected)


def test_the_published_adapters_shapes_are_read() -> None:
    """XL's first convolution reads 3 channels of 16×16 pixels, a sketch's of 1.x one of 8×8."""
    for width, expected in ((768, (3, 16)), (192, (3, 8)), (64, (1, 8)), (256, (1, 16))):
        shapes = {
            "adapter.conv_in.weight": (320, width, 3, 3),
            "adapter.body.0.resnets.0.block1.weight": (320, 320, 3, 3),
        }
        config = t2i_config(shapes)
        assert (config["in_channels"], config["downscale_factor"]) == expected
        assert config["adapter_type"].endswith("xl") == (expected[1] == 16)
