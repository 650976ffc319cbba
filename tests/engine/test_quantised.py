"""A base whose network torchao has rounded to eight bits, against diffusers' pipeline of the same folder."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel, TorchAoConfig
from safetensors.torch import load_file, save_file

from studio.engine import Engine
from studio.engine.networks.storage import storages
from studio.errors import IncompatibleModels
from studio.library import Library
from studio.library import quantised as known
from studio.plan import Weights, compile_plan
from studio.preset import validate
from studio.train.base import load_base
from tests.support import tiny_flux, tiny_pictures
from tests.support.family_contract import PROMPT, SIZE, fill, ours
from tests.support.tiny_pictures import SCALE, difference

needs_torchao = pytest.mark.skipif(find_spec("torchao") is None, reason="torchao is not installed")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``base`` and ``tuned`` of FLUX.1 as they are, ``style`` for them, and ``int8`` of the base."""
    eight_bits = import_module("torchao.quantization").Int8WeightOnlyConfig
    folder = tmp_path_factory.mktemp("models")
    fill(folder, "flux")
    rounded: Any = FluxTransformer2DModel.from_pretrained(
        folder / "base/transformer",
        quantization_config=TorchAoConfig(eight_bits()),
        torch_dtype=torch.float32,
    )
    pipe = FluxPipeline.from_pretrained(folder / "base", transformer=rounded)
    pipe.save_pretrained(folder / "int8")
    return folder


def _theirs(root: Path) -> Any:
    """diffusers' pipeline, what is not rounded in float32 as the engine has it on a CPU."""
    return FluxPipeline.from_pretrained(root / "int8", torch_dtype=torch.float32)


def _picture(pipe: Any) -> np.ndarray:
    """What diffusers' pipeline makes of one prompt."""
    return tiny_pictures.theirs(
        pipe,
        PROMPT,
        SIZE,
        output_type="pil",
        guidance_scale=3.5,
        true_cfg_scale=SCALE,
        negative_prompt="",
    )


@needs_torchao
def test_one_row_is_diffusers_pipeline_of_the_same_folder(root: Path) -> None:
    theirs = _picture(_theirs(root))
    found = ours(root, base="int8")
    assert difference(found, theirs) <= 1
    assert not np.array_equal(found, ours(root))  # eight bits are not all of them


@needs_torchao
@pytest.mark.parametrize("omega", [0.0, 0.4])
def test_a_lora_row_is_the_sum_of_its_rounded_layers_and_its_change(
    omega: float, root: Path
) -> None:
    """ω of a LoRA needs no weights: the loop has each factor beside the layer's own output."""
    row = {"model": {"lora": "style", "strength": 0.5}}
    found = ours(root, row, base="int8", omega=omega)
    pipe = _theirs(root)
    assert difference(found, _by_hand(root, pipe, omega)) <= 1
    assert difference(found, ours(root, base="int8")) > 1
    sampler = {"steps": 3, "scheduler": "euler", "seed": 3, "width": SIZE, "height": SIZE}
    rows = [{"prompt": PROMPT, "weight": SCALE, **row}]
    preset = {"base": "int8", "rows": rows, "omega": omega, "sampler": sampler}
    assert difference(tiny_pictures.made(root, preset, exact=False), found) <= 1  # in one batch


def _by_hand(root: Path, pipe: Any, omega: float) -> np.ndarray:
    """diffusers' pipeline with the LoRA's products added to the layers' outputs, scaled by sample."""
    state, scale = load_file(root / "style.safetensors"), [0.0]
    for name, module in pipe.transformer.named_modules():
        down = state.get(f"transformer.{name}.lora_A.weight")
        if down is not None:
            change = state[f"transformer.{name}.lora_B.weight"] @ down

            def added(_: Any, args: Any, output: Any, change: Any = change) -> Any:
                return output + scale[0] * args[0] @ change.T

            module.register_forward_hook(added)
    forward, calls = pipe.transformer.forward, [0]

    def turns(*args: Any, **kwargs: Any) -> Any:
        """The pipeline runs the prompt, then the empty one."""
        scale[0] = 0.5 * omega if calls[0] % 2 else 0.5
        calls[0] += 1
        return forward(*args, **kwargs)

    pipe.transformer.forward = turns
    return _picture(pipe)


@needs_torchao
def test_a_dora_takes_the_length_of_the_weights_as_they_are_rounded(root: Path) -> None:
    layer = "transformer.transformer_blocks.0.attn.to_q"
    generator = torch.Generator().manual_seed(4)
    state = {
        f"{layer}.lora_A.weight": torch.randn(2, 16, generator=generator),
        f"{layer}.lora_B.weight": torch.randn(16, 2, generator=generator),
        f"{layer}.lora_magnitude_vector": torch.rand(16, generator=generator) + 1,
    }
    save_file(state, root / "dora.safetensors")
    row = {"model": {"lora": "dora", "strength": 1.0}}
    near, plain = (ours(root, row, base=name) for name in ("int8", "base"))
    assert difference(near, ours(root, base="int8")) > 1
    assert 0 < np.abs(near - plain).mean() < np.abs(near - ours(root, base="int8")).mean()


@needs_torchao
def test_omega_between_full_networks_is_refused_by_name(root: Path) -> None:
    """And at its ends, where nothing is interpolated, it is not."""
    preset = {"base": "int8", "rows": [{"prompt": "a cat", "model": "tuned"}]}
    with pytest.raises(IncompatibleModels, match="'int8' has weights rounded by torchao") as caught:
        compile_plan(validate({**preset, "omega": 0.4}), Library((root,)))
    assert caught.value.field == "omega"
    for omega in (0.0, 1.0):
        compile_plan(validate({**preset, "omega": omega}), Library((root,)))


@needs_torchao
def test_its_bytes_are_those_of_its_few_bits_and_it_is_not_trained_on(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)))
    full, few = (engine.loader.network(Weights(name)) for name in ("base", "int8"))
    assert sum(storages(few).values()) < 0.5 * sum(storages(full).values())
    stated = engine.loader.network_bytes(Weights("int8"))
    assert stated == pytest.approx(sum(storages(few).values()), rel=0.02)
    with pytest.raises(IncompatibleModels, match="which are not trained on") as caught:
        load_base(Library((root,)), "int8", torch.device("cpu"))
    assert caught.value.field == "base"


def test_without_the_package_the_line_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_flux.pipeline(tmp_path / "int8")
    file = tmp_path / "int8/transformer/config.json"
    asked = {"quant_method": "torchao", "quant_type": {}}
    file.write_text(json.dumps({**json.loads(file.read_text()), "quantization_config": asked}))
    monkeypatch.setattr(known, "find_spec", lambda name: None)
    (entry,) = Library((tmp_path,)).refused()
    assert entry.problem == (
        "has weights rounded by torchao, which needs a package: "
        "pip install -r requirements-quantised.txt"
    )
