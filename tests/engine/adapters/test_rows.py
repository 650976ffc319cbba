"""LoRAs of rows, against diffusers' pipelines with the same files."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn

from studio.engine import Engine
from studio.engine.inputs.texts import Texts
from studio.errors import IncompatibleModels
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny, tiny_files
from tests.support.tiny_pictures import SCALE, difference, ours, theirs


def test_several_loras_of_a_row_with_text_against_diffusers(tmp_path: Path) -> None:
    """Two files in one row, each at its strength; one of them changes the text encoder too."""
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
    # ω = 1 takes φ from the adapted network and text encoder, as their pipeline does.
    model = {
        "lora": "loras/first",
        "strength": 0.7,
        "loras": [{"lora": "loras/second", "strength": -0.4}],
    }
    found = ours(tmp_path, rows=[{"prompt": "cat", "weight": SCALE, "model": model}], omega=1.0)
    assert difference(found, theirs(pipe, "cat")) <= 2


@pytest.mark.parametrize(("strength", "text_strength"), [(0.7, -0.4), (0.9, 0.0), (0.0, 0.8)])
def test_the_text_encoder_s_own_strength(
    strength: float, text_strength: float, tmp_path: Path
) -> None:
    """ComfyUI's two strengths, as diffusers' weights by component; ω scales both."""
    pipe = tiny.pipeline(tmp_path / "base")
    state = _factors(pipe.unet, "unet", ("attn2.to_k", "attn1.to_q"))
    state |= _factors(pipe.text_encoder, "text_encoder", ("q_proj", "fc1"))
    save_file(state, tmp_path / "both.safetensors")
    pipe.load_lora_weights(dict(state), adapter_name="both")
    pipe.set_adapters(["both"], [{"unet": strength, "text_encoder": text_strength}])
    model = {"lora": "both", "strength": strength, "text_strength": text_strength}
    rows = [{"prompt": "a cat", "weight": SCALE, "model": model}]
    found = ours(tmp_path, rows=rows, omega=1.0)
    assert difference(found, theirs(pipe, "a cat")) <= 1
    same = {"lora": "both", "strength": strength}
    assert difference(found, ours(tmp_path, rows=[{**rows[0], "model": same}], omega=1.0)) > 1


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@torch.no_grad()
def test_long_and_short_prompts_with_different_adapters(weighted: bool, tmp_path: Path) -> None:
    """Rows of one and of three windows, of two adapters of the text encoder: each as merged weights
    read its prompt alone, whether the adapter is thin factors or a full difference."""
    pipe = tiny.pipeline(tmp_path / "base")
    towers = pipe.text_encoder
    thin = _factors(towers, "text_encoder", ("q_proj", "fc1"))
    save_file(thin, tmp_path / "thin.safetensors")
    rng = torch.Generator().manual_seed(4)
    whole = {
        f"lora_te_{name.replace('.', '_')}.{role}": torch.randn(
            2, size, generator=rng
        ).mT.contiguous()
        if role.endswith("a")
        else torch.randn(2, size, generator=rng)
        for name, module in towers.named_modules()
        if name.endswith("v_proj")
        for role, size in zip(
            ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"), (16, 16) * 2, strict=True
        )
    }
    save_file(whole, tmp_path / "whole.safetensors")
    long = "a long " + " ".join("abcdefghij" for _ in range(5))
    short = "(cat:1.3)" if weighted else "cat"
    loader = Engine(device="cpu", dtype=torch.float64, library=Library((tmp_path,))).loader
    preset = validate(
        {
            "base": "base",
            "rows": [
                {"prompt": long, "weight": 2.0, "model": {"lora": "thin", "strength": 0.8}},
                {"prompt": short, "weight": 3.0, "model": {"lora": "whole", "strength": -0.5}},
                {"prompt": long, "weight": -1.0, "model": {"lora": "whole"}},
                {"prompt": short, "weight": 1.0},
            ],
        }
    )
    plan = compile_plan(preset, loader.library)
    texts = Texts(plan, loader)
    deltas: dict[str, dict[str, torch.Tensor]] = {"thin": {}, "whole": {}}
    for name, module in towers.named_modules():
        if f"text_encoder.{name}.lora_A.weight" in thin:
            down, up = (thin[f"text_encoder.{name}.lora_{x}.weight"].double() for x in "AB")
            deltas["thin"][name] = up @ down
        if name.endswith("v_proj"):
            key = f"lora_te_{name.replace('.', '_')}.hada_w"
            a, b, c, d = (whole[key + end].double() for end in ("1_a", "1_b", "2_a", "2_b"))
            deltas["whole"][name] = (a @ b) * (c @ d)
    plain = loader.text_encoder("base")
    for item in plan.passes:
        adapters = [loader.adapter(one.name, "base", "base") for one in item.weights.adapters()]
        found = texts.encode(item, adapters)
        merged = copy.deepcopy(plain)
        for name, scale in item.weights.loras:
            for layer, delta in deltas[name].items():
                merged.get_submodule(layer).weight.data += scale * delta
        spans = max(texts.spans.values())
        expected = loader.family("base").encode(merged, [item.condition.prompt or ""], spans=spans)
        assert found is not None and spans == 3
        assert torch.allclose(found.states, expected.states, rtol=1e-9, atol=1e-9)
    assert len({item.weights for item in plan.passes}) == 4


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


def _factors(network: nn.Module, part: str, endings: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Random factors of rank 2 on the linear layers whose names end so, in peft's names."""
    rng = torch.Generator().manual_seed(9)
    state = {}
    for name, module in network.named_modules():
        if name.endswith(endings):
            out, inner = module.weight.shape
            state[f"{part}.{name}.lora_A.weight"] = (
                torch.randn(2, inner, generator=rng) / inner**0.5
            )
            state[f"{part}.{name}.lora_B.weight"] = torch.randn(out, 2, generator=rng)
    return state


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("dialect", ["diffusers", "kohya"])
@pytest.mark.parametrize("strength", [1.0, -0.6])
def test_a_lora_of_sd_2(prediction: str, dialect: str, strength: float, tmp_path: Path) -> None:
    """Text 1024 wide and linear projections around attention; ε as well as v."""
    pipe = tiny.pipeline(
        tmp_path / "base", prediction=prediction, width=1024, use_linear_projection=True
    )
    endings = ("attn2.to_k", "attn1.to_q", "attn1.to_out.0", "proj_in", "ff.net.0.proj")
    unet = _factors(pipe.unet, "unet", endings)
    text = _factors(pipe.text_encoder, "text_encoder", ("q_proj", "fc1"))
    assert any("proj_in" in key for key in unet)
    if dialect == "kohya":
        (tmp_path / "loras").mkdir()
        names = tiny_files.kohya_names(unet | text, alpha=1.0)
        save_file(names, tmp_path / "loras/style.safetensors")
    else:
        StableDiffusionPipeline.save_lora_weights(
            tmp_path / "loras/style",
            unet_lora_layers={k.removeprefix("unet."): v for k, v in unet.items()},
            text_encoder_lora_layers={k.removeprefix("text_encoder."): v for k, v in text.items()},
        )
    library = Library((tmp_path,))
    assert library["base"].family == library["loras/style"].family == "sd2"
    alpha = 0.5 if dialect == "kohya" else 1.0  # alpha 1 of rank 2
    pipe.load_lora_weights(
        {k: v * alpha if "lora_B" in k else v for k, v in (unet | text).items()},
        adapter_name="style",
    )
    pipe.set_adapters(["style"], [strength])
    row = {
        "prompt": "a cat",
        "weight": SCALE,
        "model": {"lora": "loras/style", "strength": strength},
    }
    found = ours(tmp_path, rows=[row], omega=1.0)
    assert difference(found, theirs(pipe, "a cat")) <= 1
    assert difference(found, ours(tmp_path, rows=[{**row, "model": None}])) > 1


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@torch.no_grad()
def test_a_lora_of_sd_2_beside_the_prior_s_unconditional(prediction: str, tmp_path: Path) -> None:
    """``ε_θ(φ) + w·(ε_{θ+sΔ}(c) − ε_θ(φ))`` with weights merged by hand; shared work too."""
    pipe = tiny.pipeline(
        tmp_path / "base", prediction=prediction, width=1024, use_linear_projection=True
    )
    delta = tiny.lora(tmp_path / "style", pipe.unet)
    merged = UNet2DConditionModel.from_config(pipe.unet.config)
    merged.load_state_dict(
        {k: v + 0.5 * delta[k] if k in delta else v for k, v in pipe.unet.state_dict().items()}
    )
    null, told = tiny.encode(pipe, "", "a cat")

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        free = pipe.unet.eval()(z, t, null).sample
        return free + SCALE * (merged.eval()(z, t, told).sample - free)

    row = {"prompt": "a cat", "weight": SCALE, "model": {"lora": "style", "strength": 0.5}}
    expected = tiny.ddim(pipe, predict, steps=3)
    for exact in (True, False):
        assert difference(ours(tmp_path, exact=exact, rows=[row]), expected) <= 1
