"""Adapter files of every dialect, against the libraries that wrote them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny
import tiny_files
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoHaConfig, LoKrConfig, LoraConfig, OFTConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from torch import nn

from studio.engine import Engine
from studio.engine.adapter_files import load_adapter
from studio.engine.adapters import Adapter, attached, check_fits
from studio.errors import IncompatibleModels, MissingModel
from studio.events import Done
from studio.library import Library
from studio.preset import validate

CPU = torch.device("cpu")
TARGETS = ["to_q", "to_v", "to_out.0", "conv1"]
T = torch.tensor(400)


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def network() -> UNet2DConditionModel:
    return tiny.unet().double().eval()


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(2, 4, 8, 8, generator=generator),
        torch.randn(2, 6, tiny.WIDTH, generator=generator),
    )


def run(network: nn.Module) -> torch.Tensor:
    z, text = inputs()
    with torch.no_grad():
        return network(z, T, encoder_hidden_states=text).sample


def run_with(network: nn.Module, adapter: Adapter, scale: float = 1.0) -> torch.Tensor:
    """The second of two samples has the adapter; the first must be the plain network's."""
    plain = run(network)
    check_fits(network, adapter.unet, adapter.name)
    z, text = inputs()
    with torch.no_grad(), attached(network, [adapter.unet], torch.tensor([[0.0], [scale]])):
        both = network(z, T, encoder_hidden_states=text).sample
    assert torch.allclose(both[0], plain[0], atol=1e-12)
    assert torch.equal(run(network), plain)  # nothing stays behind
    assert (both[1] - plain[1]).abs().max() > 1e-4
    return both[1]


def load(path: Path, network: nn.Module) -> Adapter:
    return load_adapter(path, path.stem, network, {}, CPU, torch.float64)


def randomised(model: PeftModel) -> PeftModel:
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if any(mark in name for mark in ("lora_", "hada_", "lokr_", "oft_")):
            noise = torch.randn_like(parameter) * 0.2
            parameter.data = parameter.data + noise if "magnitude" in name else noise
    return model.eval()


PEFT = {
    "lora": LoraConfig(r=3, lora_alpha=5, target_modules=TARGETS),
    "rslora": LoraConfig(r=3, lora_alpha=5, use_rslora=True, target_modules=TARGETS),
    "dora": LoraConfig(r=3, lora_alpha=5, use_dora=True, target_modules=TARGETS),
    "loha": LoHaConfig(r=3, alpha=5, target_modules=TARGETS),
    "lokr": LoKrConfig(r=3, alpha=3, target_modules=TARGETS),
    "oft": OFTConfig(r=0, oft_block_size=4, target_modules=["to_q", "to_v"]),
}


@pytest.mark.parametrize("kind", PEFT)
def test_what_peft_saved(kind: str, network: UNet2DConditionModel, tmp_path: Path) -> None:
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT[kind])))
    model.save_pretrained(tmp_path / kind)
    assert Library((tmp_path,))[kind].kind == "lora"
    found = run_with(network, load(tmp_path / kind, network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


def diffusers_file(network: UNet2DConditionModel, folder: Path, config: LoraConfig) -> nn.Module:
    """diffusers' own writer, its settings in the header; returns the network with the adapter."""
    own = copy.deepcopy(network)
    own.add_adapter(config)
    randomised(own)
    from diffusers.training_utils import _collate_lora_metadata
    from peft import get_peft_model_state_dict

    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=get_peft_model_state_dict(own),
        **_collate_lora_metadata({"unet": own}),
    )
    return own


@pytest.mark.parametrize(
    "config",
    [
        LoraConfig(r=2, lora_alpha=2, target_modules=TARGETS),
        LoraConfig(r=2, lora_alpha=6, target_modules=TARGETS, alpha_pattern={"to_v": 1}),
        LoraConfig(r=2, lora_alpha=4, use_dora=True, target_modules=TARGETS),
    ],
    ids=["plain", "alphas", "dora"],
)
def test_what_diffusers_saved(
    config: LoraConfig, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    own = diffusers_file(network, tmp_path / "style", copy.deepcopy(config))
    assert torch.allclose(
        run_with(network, load(tmp_path / "style", network)), run(own)[1], atol=1e-9
    )


def factors(network: nn.Module, config: LoraConfig) -> tuple[PeftModel, dict[str, torch.Tensor]]:
    model = randomised(get_peft_model(copy.deepcopy(network), config))
    state = {
        k.replace("base_model.model.", "unet.").replace(".default", ""): v.detach()
        for k, v in model.state_dict().items()
        if "lora_" in k
    }
    return model, state


def test_kohya_s_file_with_convolutions_and_alpha(
    network: UNet2DConditionModel, tmp_path: Path
) -> None:
    model, state = factors(network, LoraConfig(r=4, lora_alpha=2, target_modules=TARGETS))
    save_file(tiny_files.kohya_names(state, alpha=2.0), tmp_path / "locon.safetensors")
    found = run_with(network, load(tmp_path / "locon.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


def test_kohya_s_dora(network: UNet2DConditionModel, tmp_path: Path) -> None:
    model, state = factors(
        network, LoraConfig(r=4, lora_alpha=2, use_dora=True, target_modules=TARGETS)
    )
    names = tiny_files.kohya_names({k: v for k, v in state.items() if "magnitude" not in k}, 2.0)
    for key, value in state.items():
        if "lora_magnitude_vector" in key:
            module = key.partition(".")[2].partition(".lora_magnitude")[0].replace(".", "_")
            ones = [1] * (names[f"lora_unet_{module}.lora_down.weight"].ndim - 1)
            names[f"lora_unet_{module}.dora_scale"] = value.reshape(-1, *ones).contiguous()
    save_file(names, tmp_path / "dora.safetensors")
    found = run_with(network, load(tmp_path / "dora.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


@pytest.mark.parametrize("kind", ["loha", "lokr"])
def test_lycoris_files(kind: str, network: UNet2DConditionModel, tmp_path: Path) -> None:
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT[kind])))
    state = {}
    for key, value in model.state_dict().items():
        if "hada_" in key or "lokr_" in key:
            module, _, role = (
                key.removeprefix("base_model.model.").removesuffix(".default").rpartition(".")
            )
            name = f"lora_unet_{module.replace('.', '_')}"
            state[f"{name}.{role}"] = value.detach().clone().contiguous()
            state[f"{name}.alpha"] = torch.tensor(float(PEFT[kind].alpha))
    save_file(state, tmp_path / "lycoris.safetensors")
    assert Library((tmp_path,))["lycoris"].kind == "lora"
    found = run_with(network, load(tmp_path / "lycoris.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


def test_a_strength_scales_the_difference_of_what_is_no_product(
    network: UNet2DConditionModel, tmp_path: Path
) -> None:
    """θ + s·Δ with Δ = θ′ − θ of the merged DoRA, not a DoRA of another scale."""
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT["dora"])))
    model.save_pretrained(tmp_path / "dora")
    merged = model.merge_and_unload()
    expected = copy.deepcopy(network)
    for name, parameter in expected.named_parameters():
        parameter.data += 0.4 * (merged.get_parameter(name).data - parameter.data)
    found = run_with(network, load(tmp_path / "dora", network), scale=0.4)
    assert torch.allclose(found, run(expected)[1], atol=1e-9)


def _decomposed(network: nn.Module, path: Path) -> None:
    where = "lora_unet_down_blocks_0_resnets_0_conv1"
    roles = {
        "hada_w1_a": (4, 8),
        "hada_w1_b": (4, 8),
        "hada_w2_a": (4, 8),
        "hada_w2_b": (4, 8),
        "hada_t1": (4, 4, 3, 3),
        "hada_t2": (4, 4, 3, 3),
    }
    save_file({f"{where}.{role}": torch.ones(shape) for role, shape in roles.items()}, path)


def _wide(network: nn.Module, path: Path) -> None:
    where = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    save_file(
        {
            f"{where}.lora_down.weight": torch.ones(2, 99),
            f"{where}.lora_up.weight": torch.ones(8, 2),
        },
        path,
    )


def _elsewhere(network: nn.Module, path: Path) -> None:
    where = "lora_unet_down_blocks_7_attentions_0_transformer_blocks_0_attn2_to_k"
    save_file(
        {f"{where}.hada_{w}": torch.ones(2, 2) for w in ("w1_a", "w1_b", "w2_a", "w2_b")}, path
    )


def _orphan(network: nn.Module, path: Path) -> None:
    save_file({"unet.conv_in.lora_A.weight": torch.ones(2, 4, 3, 3)}, path)


def _garbage(network: nn.Module, path: Path) -> None:
    path.write_bytes(b"\x00" * 64)


@pytest.mark.parametrize(
    ("write", "error", "told"),
    [
        (_decomposed, IncompatibleModels, "hada_t1"),
        (_wide, IncompatibleModels, "99→8, the base 16→8"),
        (_elsewhere, IncompatibleModels, "no layer lora_unet_down_blocks_7"),
        (_orphan, IncompatibleModels, r"not understood: unet\.conv_in"),
        (_garbage, MissingModel, "damaged"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    write: Callable[[nn.Module, Path], None],
    error: type[Exception],
    told: str,
    network: UNet2DConditionModel,
    tmp_path: Path,
) -> None:
    path = tmp_path / "odd.safetensors"
    write(network, path)
    with pytest.raises(error, match=told) as caught:
        check_fits(network, load(path, network).unet, "odd")
    assert "odd" in str(caught.value)


def test_several_loras_of_a_row_with_text_against_diffusers(tmp_path: Path) -> None:
    """Two files in one row, each at its strength; one of them changes the text encoder too."""
    torch.set_default_dtype(torch.float32)
    pipe = tiny.pipeline(tmp_path / "base")
    rng = torch.Generator().manual_seed(5)
    attention = [
        n for n, m in pipe.unet.named_modules() if n.endswith(("attn2.to_k", "attn1.to_q"))
    ]
    towers = [n for n, m in pipe.text_encoder.named_modules() if n.endswith(("q_proj", "fc1"))]

    def pair(part: str, module: str, root: nn.Module) -> dict[str, torch.Tensor]:
        out, inner = root.get_submodule(module).weight.shape
        return {
            f"{part}.{module}.lora_A.weight": torch.randn(2, inner, generator=rng),
            f"{part}.{module}.lora_B.weight": torch.randn(out, 2, generator=rng) * 0.3,
        }

    first = {k: v for m in attention for k, v in pair("unet", m, pipe.unet).items()}
    first |= {k: v for m in towers for k, v in pair("text_encoder", m, pipe.text_encoder).items()}
    second = {k: v for m in attention for k, v in pair("unet", m, pipe.unet).items()}
    loras = tmp_path / "loras"
    loras.mkdir()
    save_file(tiny_files.kohya_names(first, alpha=1.0), loras / "first.safetensors")
    save_file(second, loras / "second.safetensors")
    # Their reader drops kohya's text projections, so it gets the first in peft's own names.
    scaled = {k: v * 0.5 if "lora_B" in k else v for k, v in first.items()}  # alpha 1 of rank 2
    pipe.load_lora_weights(scaled, adapter_name="first")
    pipe.load_lora_weights(dict(second), adapter_name="second")
    pipe.set_adapters(["first", "second"], [0.7, -0.4])
    expected = pipe(
        "cat",
        guidance_scale=3.0,
        num_inference_steps=3,
        width=16,
        height=16,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    # ω = 1 takes φ from the adapted network and text encoder, as their pipeline does.
    model = {
        "lora": "loras/first",
        "strength": 0.7,
        "loras": [{"lora": "loras/second", "strength": -0.4}],
    }
    engine = Engine(device="cpu", library=Library((tmp_path,)), exact=True)
    preset = validate(
        {
            "base": "base",
            "omega": 1.0,
            "rows": [
                {"prompt": "cat", "weight": 3.0, "model": model},
            ],
            "sampler": {"steps": 3, "scheduler": "ddim", "seed": 3},
        }
    )
    done = next(e for e in engine.generate(preset) if isinstance(e, Done))
    difference = np.abs(np.asarray(done.image).astype(int) - np.asarray(expected).astype(int))
    assert difference.max() <= 2


def test_a_lora_of_another_family_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    from studio.plan import compile_plan

    tiny.pipeline(tmp_path / "base")
    key = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
    (tmp_path / "loras").mkdir()
    save_file(
        {
            f"{key}.lora_down.weight": torch.ones(4, 2048),
            f"{key}.lora_up.weight": torch.ones(640, 4),
        },
        tmp_path / "loras/xl.safetensors",
        metadata={"ss_tag_frequency": json.dumps({"10_me": {"zwx person": 10, "tree": 3}})},
    )
    library = Library((tmp_path,))
    assert (library["loras/xl"].family, library["loras/xl"].trigger) == ("sdxl", "zwx person")
    with pytest.raises(
        IncompatibleModels, match="lora for Stable Diffusion XL; 'base' is Stable"
    ) as caught:
        compile_plan(validate({"base": "base", "rows": [{"model": "loras/xl"}]}), library)
    assert caught.value.field == "rows.0.model"


def test_lycoris_in_the_original_code_s_names(tmp_path: Path) -> None:
    """XL's layers as ``input_blocks`` and so on, residual blocks' convolutions among them."""
    torch.manual_seed(2)
    network = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=2, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=tiny.WIDTH,
        attention_head_dim=(1, 2), use_linear_projection=True,
    )  # fmt: skip
    network = network.double().eval()
    config = LoHaConfig(r=2, alpha=2, target_modules=["to_k", "conv1", "conv2", "ff.net.2"])
    model = randomised(get_peft_model(copy.deepcopy(network), config))
    state = {}
    for key, value in model.state_dict().items():
        if "hada_" in key:
            module, _, role = (
                key.removeprefix("base_model.model.").removesuffix(".default").rpartition(".")
            )
            name = tiny_files.unet_name(module, 3).replace(".", "_")
            state[f"lora_unet_{name}.{role}"] = value.detach().clone().contiguous()
    assert {key.split("_")[2] for key in state} == {"input", "middle", "output"}
    save_file(state, tmp_path / "xl.safetensors")
    found = run_with(network, load(tmp_path / "xl.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


@pytest.mark.parametrize(("whole", "scale"), [(True, 1.0), (False, 2.5)])
def test_lokr_is_a_kronecker_product(whole: bool, scale: float, tmp_path: Path) -> None:
    """``w1 ⊗ w2``, scaled by alpha over rank only where a factor is a product itself (LyCORIS)."""
    torch.manual_seed(4)
    network = nn.Module()
    network.line = nn.Linear(6, 8)
    left, right, a, b = (torch.randn(2, 3), torch.randn(4, 2), torch.randn(4, 2), torch.randn(2, 2))
    factors = {"lokr_w2": right} if whole else {"lokr_w2_a": a, "lokr_w2_b": b}
    state = {f"lora_unet_line.{k}": v for k, v in {"lokr_w1": left, **factors}.items()}
    save_file({**state, "lora_unet_line.alpha": torch.tensor(5.0)}, tmp_path / "x.safetensors")
    found = load(tmp_path / "x.safetensors", network).unet["line"]
    expected = torch.zeros(8, 6)
    block = right if whole else a @ b
    for i in range(2):
        for j in range(3):
            expected[4 * i : 4 * i + 4, 2 * j : 2 * j + 2] = left[i, j] * block
    assert torch.allclose(found, scale * expected)
