"""The same weight change under every tool's names, shapes and precisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn

from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import Adapter, attached
from studio.engine.adapters.names import Names
from studio.errors import IncompatibleModels
from studio.library import Library
from tests.support import tiny, tiny_files
from tests.support.adapter_kinds import CONV, LINEAR, kohya, merged
from tests.support.tiny_adapters import CPU, load, run, run_with

FLAT = LINEAR.replace(".", "_")
ORIGINAL = "input_blocks.1.1.transformer_blocks.0.attn2.to_k"  # in the original code's words


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(11)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def network() -> UNet2DConditionModel:
    return tiny.unet().double().eval()


def same(
    state: Mapping[str, Tensor],
    delta: Mapping[str, Tensor],
    network: UNet2DConditionModel,
    path: Path,
    tolerance: float = 1e-9,
) -> Adapter:
    """The file at ``path`` is listed, and on the network it is the network with Δ in its weights."""
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    assert Library((path.parent,))[path.stem].kind == "lora"
    adapter = load(path, network)
    found, expected = run_with(network, adapter), run(merged(network, delta))[1]
    effect = (expected - run(network)[1]).abs().max()
    assert (found - expected).abs().max() < tolerance * effect
    return adapter


KOHYA = (".lora_down.weight", ".lora_up.weight")


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        (f"lora_unet_{FLAT}", KOHYA),
        (f"lora_unet_{ORIGINAL.replace('.', '_')}", KOHYA),
        (f"lycoris_{FLAT}", KOHYA),
        (f"unet.{LINEAR}", KOHYA),
        (f"unet.{ORIGINAL}", KOHYA),
        (f"diffusion_model.{ORIGINAL}", KOHYA),
        (f"diffusion_model.{LINEAR}", (".lora_A.weight", ".lora_B.weight")),
        (f"model.diffusion_model.{ORIGINAL}", KOHYA),
        (f"base_model.model.{LINEAR}", (".lora_A.weight", ".lora_B.weight")),
        (f"unet.base_model.model.{LINEAR}", (".lora_A.default.weight", ".lora_B.default.weight")),
        (LINEAR, (".lora.down.weight", ".lora.up.weight")),
        (f"diffusion_model.{LINEAR}", (".lora_A", ".lora_B")),
        (
            f"unet.{LINEAR}".replace("attn2.", "attn2.processor."),
            ("_lora.down.weight", "_lora.up.weight"),
        ),
    ],
)
def test_names_of_one_layer(
    name: str, roles: tuple[str, str], network: UNet2DConditionModel, tmp_path: Path
) -> None:
    down, up = torch.randn(4, 16), torch.randn(8, 4)
    state = {name + roles[0]: down, name + roles[1]: up, f"{name}.alpha": torch.tensor(2.0)}
    same(state, {f"{LINEAR}.weight": up @ down / 2}, network, tmp_path / "odd.safetensors")


def test_every_layer_of_xl_by_its_original_name() -> None:
    """Names made from how blocks follow one another, against a converter written for tests."""
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16, 16),
        layers_per_block=2,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=8,
        attention_head_dim=2,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=32,
    )
    names, count = Names({"unet": unet}), 0
    for layer, module in unet.named_modules():
        if getattr(module, "weight", None) is not None:
            original = tiny_files.unet_name(layer, 3)
            for name in (f"lora_unet_{original.replace('.', '_')}", f"diffusion_model.{original}"):
                assert names.find(name) == ("unet", layer), name
            count += 1
    assert count > 200
    assert names.find("lora_unet_input_blocks_9_9_proj_in") is None
    assert names.find("lora_te_text_model_encoder_layers_0_mlp_fc1") is None


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16])
def test_small_floats_mean_their_values(
    dtype: torch.dtype, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    """A DoRA too: whatever the file's precision, the change is reckoned in the base's."""
    down, up = torch.randn(4, 16).to(dtype), (torch.randn(8, 4) * 0.3).to(dtype)
    weight = network.get_submodule(LINEAR).weight.detach()
    moved = weight + up.double() @ down.double() / 2
    scale = (moved.norm(dim=1, keepdim=True) * 1.3).to(dtype)
    plain = kohya(
        LINEAR, lora_down__weight=down, lora_up__weight=up, alpha=torch.tensor(2.0).to(dtype)
    )
    same(plain, {f"{LINEAR}.weight": moved - weight}, network, tmp_path / "plain.safetensors")
    delta = scale.double() * moved / moved.norm(dim=1, keepdim=True) - weight
    state = plain | kohya(LINEAR, dora_scale=scale)
    same(state, {f"{LINEAR}.weight": delta}, network, tmp_path / "dora.safetensors")


@pytest.mark.parametrize("flat_layer", [True, False], ids=["matrices", "convolutions"])
def test_factors_of_a_1x1_convolution_in_either_shape(flat_layer: bool, tmp_path: Path) -> None:
    """Matrices for a convolution, and 1×1 convolutions for a linear layer, are the same map."""

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.point = nn.Conv2d(6, 5, 1) if flat_layer else nn.Linear(6, 5)

    network, down, up = Small(), torch.randn(2, 6), torch.randn(5, 2)
    ones = () if flat_layer else (1, 1)
    state = kohya(
        "point",
        lora_down__weight=down.reshape(2, 6, *ones),
        lora_up__weight=up.reshape(5, 2, *ones),
    )
    save_file(state, tmp_path / "odd.safetensors")
    adapter = load_adapter(tmp_path / "odd.safetensors", "odd", network, {}, CPU, torch.float64)
    x = torch.randn(1, 6, 3, 3) if flat_layer else torch.randn(1, 3, 6)
    with torch.no_grad():
        expected = merged(network, {"point.weight": (up @ down).view_as(network.point.weight)})
        with attached(network, [adapter.unet], torch.ones(1, 1)):
            found = network.point(x)
        assert torch.allclose(found, expected.point(x), atol=1e-9)


def test_factors_of_another_kernel_are_refused_before_sampling(
    network: UNet2DConditionModel, tmp_path: Path
) -> None:
    state = kohya(
        CONV, lora_down__weight=torch.ones(2, 8, 1, 1), lora_up__weight=torch.ones(8, 2, 3, 3)
    )
    save_file(state, tmp_path / "odd.safetensors")
    with pytest.raises(IncompatibleModels, match=r"layer down_blocks\.0\.resnets\.0\.conv1 "):
        load(tmp_path / "odd.safetensors", network)


@pytest.mark.parametrize("towers", ["one", "two"])
def test_keys_that_belong_to_nothing_and_bundled_words(
    towers: str, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    """OneTrainer's words are the row's; strange names are noted; the weights work."""
    down, up = torch.randn(4, 16), torch.randn(8, 4)
    words = (
        {"bundle_emb.my cat.string_to_param.*": torch.randn(2, 16)}
        if towers == "one"
        else {f"bundle_emb.my cat.clip_{x}": torch.randn(2, 16) for x in "lg"}
    )
    state = kohya(LINEAR, lora_down__weight=down, lora_up__weight=up) | words
    state |= {"lora_te2_nowhere.lora_down.weight": torch.ones(1, 1)} if towers == "two" else {}
    state |= {f"strange.{n}": torch.ones(1) for n in range(3)}
    # As many layers elsewhere as here would be another architecture; one more layer is here.
    state |= kohya(LINEAR.replace("to_k", "to_v"), diff=torch.randn(8, 16))
    delta = {
        f"{LINEAR}.weight": up @ down,
        f"{LINEAR.replace('to_k', 'to_v')}.weight": state[f"lora_unet_{FLAT[:-1]}v.diff"],
    }
    adapter = same(state, delta, network, tmp_path / "odd.safetensors")
    assert adapter.notes[-1] == ("left out, names that belong to no layer: 'strange.0' and 2 more")
    assert len(adapter.notes) == (1 if towers == "one" else 2)
    entry = Library((tmp_path,))["odd"]
    assert entry.words == ("my cat",) and entry.trigger == "my cat"


def test_two_text_towers_apart(tmp_path: Path) -> None:
    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.text_model = nn.ModuleDict({"fc1": nn.Linear(3, 4)})

    modules = {"text_encoder": Tower(), "text_encoder_2": Tower()}
    names = {
        "text_encoder": ("lora_te1_text_model_fc1", "text_encoder.text_model.fc1", "clip_l.fc1"),
        "text_encoder_2": ("lora_te2_text_model_fc1", "text_encoder_2.fc1", "clip_g.fc1"),
    }
    for index in range(3):
        state, deltas = {}, {}
        for part, called in names.items():
            deltas[part] = torch.randn(4, 3)
            state[f"{called[index]}.diff"] = deltas[part]
        save_file(state, tmp_path / "odd.safetensors")
        found = load_adapter(
            tmp_path / "odd.safetensors", "odd", nn.Linear(1, 1), modules, CPU, torch.float64
        )
        assert not found.unet
        assert {part: changes.keys() for part, changes in found.text.items()} == {
            part: {"text_model.fc1"} for part in names
        }
        for part, delta in deltas.items():
            change = found.text[part]["text_model.fc1"]
            assert isinstance(change, Tensor) and torch.equal(change, delta)
