"""A base whose network lies in a GGUF file: against diffusers' pipeline of the same file, and against
the network of the plain numbers that the package ``gguf`` makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("gguf", reason="gguf is not installed")

import diffusers
from diffusers import FluxPipeline, GGUFQuantizationConfig, StableDiffusionPipeline

from studio.engine import Engine
from studio.engine.adapters.peft_folders import merged_by_peft
from studio.engine.inputs.memory_check import needs_of
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.engine.networks.storage import PinnedMemory, dtype_of, storages
from studio.errors import IncompatibleModels, OutOfMemory
from studio.integrations.code import as_python
from studio.library import Library
from studio.plan import Weights, compile_plan
from studio.preset import validate
from studio.train.base import load_base
from tests.support import tiny_gguf, tiny_pictures
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference

FAMILIES = ("sd1", "flux")
PROMPT, SIZE = "a cat", 32
KINDS = {"sd1": "UNet2DConditionModel", "flux": "FluxTransformer2DModel"}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A library of each family; see :func:`tests.support.tiny_gguf.library`."""
    found = {family: tmp_path_factory.mktemp(family) for family in FAMILIES}
    for family, root in found.items():
        tiny_gguf.library(root, family)
        pixels = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
        Image.fromarray(pixels).save(root / "picture.png")
        pixels[:, : SIZE // 2] = 0
        pixels[:, SIZE // 2 :] = 255
        Image.fromarray(pixels).convert("L").save(root / "right.png")
    return found


def theirs(root: Path, family: str, dtype: torch.dtype = torch.float32) -> Any:
    """The network by diffusers' own reader of the file."""
    folder = root / "few" / tiny_gguf.PARTS[family]
    return getattr(diffusers, KINDS[family]).from_single_file(
        str(folder / "net-Q8_0.gguf"),
        config=str(folder),
        quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
        torch_dtype=dtype,
    )


def loader(root: Path, dtype: torch.dtype = torch.float32) -> Loader:
    return Loader(Library((root,)), Registry(2**30), torch.device("cpu"), dtype)


def made(root: Path, base: str, *rows: dict[str, Any], exact: bool = False, **more: Any) -> Any:
    sampler: dict[str, Any] = {"steps": STEPS, "seed": SEED, "width": SIZE, "height": SIZE}
    sampler["scheduler"] = "ddim" if (root / base / "unet").is_dir() else "euler"
    given = [{"prompt": PROMPT, "weight": SCALE, **row} for row in rows or ({},)]
    preset = {"base": base, "rows": given, "sampler": sampler, **more}
    return tiny_pictures.made(root, preset, exact)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_row_is_diffusers_pipeline_with_its_own_reader(
    family: str, roots: dict[str, Path]
) -> None:
    root, network = roots[family], theirs(roots[family], family)
    if family == "sd1":
        pipe: Any = StableDiffusionPipeline.from_pretrained(root / "few", unet=network)
        picture = tiny_pictures.theirs(pipe, PROMPT, SIZE)
    else:
        pipe = FluxPipeline.from_pretrained(root / "few", transformer=network)
        guided = {"guidance_scale": 3.5, "true_cfg_scale": SCALE, "negative_prompt": ""}
        picture = tiny_pictures.theirs(pipe, PROMPT, SIZE, output_type="pil", **guided)
    found = made(root, "few", exact=True)
    assert difference(found, picture) <= 1
    assert not np.array_equal(found, made(root, "base", exact=True))  # few bits are not all


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_its_weights_are_diffusers_bit_for_bit_and_it_reckons_as_asked(
    dtype: torch.dtype, family: str, roots: dict[str, Path]
) -> None:
    """float32 as on a CPU; in fewer bits each rounded layer gives those too."""
    network, other = (
        loader(roots[family], dtype).network(Weights("few")),
        theirs(roots[family], family, dtype),
    )
    found, expected = network.state_dict(), other.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    rounded: list[Any] = [m for m in network.modules() if type(m).__name__ == "GGUFLinear"]
    assert len(rounded) > 5 and {one.compute_dtype for one in rounded} == {dtype}
    given = torch.ones(1, rounded[0].in_features, dtype=dtype)
    assert dtype_of(network) == dtype == rounded[0](given).dtype


STACKS: dict[str, dict[str, Any]] = {
    "signed, a mask, a part of the steps": {
        "rows": [
            {"mask": "right.png"},
            {"prompt": "red", "weight": -1.5, "range": [0.0, 0.5]},
            {"prompt": "two", "weight": 2.0},
        ]
    },
    "from a picture": {"init": {"image": "picture.png", "strength": 0.7}},
    "a LoRA between the base and itself": {
        "rows": [{"model": {"lora": "style", "strength": 0.5}}, {"prompt": "red"}],
        "omega": 0.4,
    },
    "a DoRA": {"rows": [{"model": {"lora": "dora", "strength": 1.0}}], "omega": 0.0},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("stack", STACKS)
def test_what_rows_do_is_what_they_do_on_the_same_weights_in_plain_numbers(
    stack: str, family: str, roots: dict[str, Path]
) -> None:
    fields = dict(STACKS[stack])
    rows = fields.pop("rows", [{}])
    found, expected = (made(roots[family], base, *rows, **fields) for base in ("few", "plain"))
    assert difference(found, expected) <= 2  # diffusers unfolds in fp16, the package in float32
    assert difference(found, made(roots[family], "few")) > 2


def test_a_lora_in_the_original_names_meets_rounded_layers_that_were_one(
    roots: dict[str, Path], tmp_path: Path
) -> None:
    """FLUX.1's ``qkv`` is three layers, each of other bits."""
    from safetensors.torch import save_file

    root, generator = roots["flux"], torch.Generator().manual_seed(4)
    layer = "lora_unet_double_blocks_0_img_attn_qkv"
    state = {
        f"{layer}.lora_down.weight": torch.randn(2, 32, generator=generator),
        f"{layer}.lora_up.weight": torch.randn(96, 2, generator=generator),
        f"{layer}.dora_scale": torch.rand(96, 1, generator=generator) + 1,
    }
    save_file(state, root / "fused.safetensors")
    row = {"model": {"lora": "fused", "strength": 1.0}}
    found, expected = (made(root, base, row) for base in ("few", "plain"))
    assert difference(found, expected) <= 2 < difference(found, made(root, "few"))


@pytest.mark.parametrize("family", FAMILIES)
def test_its_bytes_are_those_of_the_file_and_too_many_are_refused_unread(
    family: str, roots: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(device="cpu", library=Library((roots[family],)))
    preset = validate({"base": "few", "rows": [{"prompt": PROMPT, "weight": SCALE}]})
    needs = needs_of(preset, compile_plan(preset, engine.library), engine.loader)
    stated = engine.loader.network_bytes(Weights("few"))
    assert stated == sum(storages(engine.loader.network(Weights("few"))).values())
    assert stated == needs.largest < 0.8 * engine.loader.network_bytes(Weights("base"))
    reader = "diffusers.models.model_loading_utils.load_gguf_checkpoint"
    monkeypatch.setattr(reader, lambda *_: pytest.fail("a weight is read"))
    tight = Engine(device="cpu", library=Library((roots[family],)), budget=needs.largest)
    with pytest.raises(OutOfMemory, match="bytes of weights at once"):
        list(tight.generate(preset))


@pytest.mark.parametrize("family", FAMILIES)
def test_it_leaves_a_gpu_and_comes_back_as_it_was(
    family: str, roots: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor.clone())
    network = loader(roots[family]).network(Weights("few"))
    before = {name: (value.clone(), type(value)) for name, value in network.named_parameters()}
    host = PinnedMemory(2**30, torch.device("cpu"))
    host.take(network)
    host.give(network)
    for name, value in network.named_parameters():
        was, kind = before[name]
        assert type(value) is kind and torch.equal(value, was)
        assert getattr(value, "quant_type", None) == getattr(was, "quant_type", None)


def test_what_its_weights_cannot_do_is_refused_by_name(roots: dict[str, Path]) -> None:
    library = Library((roots["flux"],))
    preset = {"base": "few", "rows": [{"prompt": "a cat", "model": "plain"}]}
    with pytest.raises(IncompatibleModels, match="'few' has weights rounded by gguf") as caught:
        compile_plan(validate({**preset, "omega": 0.4}), library)
    assert caught.value.field == "omega"
    compile_plan(validate({**preset, "omega": 1.0}), library)
    with pytest.raises(IncompatibleModels, match="which are not trained on") as caught:
        load_base(library["few"], torch.device("cpu"))
    assert caught.value.field == "base"


def test_a_folder_of_peft_cannot_be_merged_into_it(roots: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "adapter_model.safetensors").write_bytes(b"x")
    network = loader(roots["sd1"]).network(Weights("few"))
    with pytest.raises(IncompatibleModels, match="the base's are rounded to few bits") as caught:
        merged_by_peft(tmp_path, network, "it")
    assert caught.value.field == "it"


def test_as_code_it_is_left_to_the_studio(roots: dict[str, Path]) -> None:
    """``from_pretrained`` finds no weights in such a folder."""
    library = Library((roots["sd1"],))
    codes = [as_python(validate({"base": name}), library) for name in ("plain", "few")]
    assert ["from studio import Engine" in code for code in codes] == [False, True]
