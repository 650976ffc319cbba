"""Custom Diffusion in diffusers' format: cross-attention weights and their word, in one row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import CustomDiffusionAttnProcessor
from safetensors.torch import save_file

from studio.engine import Engine
from studio.errors import IncompatibleModels
from studio.events import Done
from studio.library import Library
from studio.preset import validate

FILE = "pytorch_custom_diffusion_weights.safetensors"


def processors_of(unet: UNet2DConditionModel) -> dict[str, CustomDiffusionAttnProcessor]:
    torch.manual_seed(8)
    processors = {}
    for name in unet.attn_processors:
        cross = ".attn2." in name
        width = unet.get_submodule(name.removesuffix(".processor")).inner_dim
        processors[name] = CustomDiffusionAttnProcessor(
            train_kv=cross,
            train_q_out=False,
            hidden_size=width,
            cross_attention_dim=tiny.WIDTH if cross else None,
        )
    return processors


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    pipe.unet.set_attn_processor(processors_of(pipe.unet))
    pipe.unet.save_attn_procs(folder / "dog", safe_serialization=True)
    save_file({"<new1>": torch.randn(1, tiny.WIDTH) * 3}, folder / "dog/<new1>.safetensors")
    return folder


def make(root: Path, **fields: object) -> np.ndarray:
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    preset = validate(
        {"base": "base", "sampler": {"steps": 3, "scheduler": "ddim", "seed": 3}, **fields}
    )
    return np.asarray(next(e for e in engine.generate(preset) if isinstance(e, Done)).image).astype(
        int
    )


def test_the_library_tells_kind_and_word(root: Path) -> None:
    entry = Library((root,))["dog"]
    assert (entry.kind, entry.words, entry.trigger) == ("custom-diffusion", ("<new1>",), "<new1>")


@pytest.mark.parametrize("model", ["dog", {"lora": "dog"}])
def test_at_omega_one_it_is_diffusers_pipeline(root: Path, model: object) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(root / "base", safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    # Their own reader of this file passes over it; the processors that wrote it are the oracle.
    pipe.unet.set_attn_processor(processors_of(pipe.unet))
    pipe.load_textual_inversion(root / "dog", weight_name="<new1>.safetensors")
    expected = pipe(
        "a <new1> dog",
        guidance_scale=4.0,
        num_inference_steps=3,
        width=16,
        height=16,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    row = {"prompt": "a <new1> dog", "weight": 4.0, "model": model}
    ours = make(root, rows=[row], omega=1.0)
    assert np.abs(ours - np.asarray(expected).astype(int)).max() <= 1
    assert np.abs(make(root, rows=[row], omega=0.0) - ours).max() > 1


def test_of_another_architecture(root: Path, tmp_path: Path) -> None:
    tiny.pipeline(tmp_path / "base")
    (tmp_path / "cat").mkdir()
    where = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor"
    save_file({f"{where}.to_k_custom_diffusion.weight": torch.ones(8, 99)}, tmp_path / "cat" / FILE)
    with pytest.raises(
        IncompatibleModels, match="Custom Diffusion model of another architecture"
    ) as caught:
        make(tmp_path, rows=[{"prompt": "a", "model": "cat"}])
    assert caught.value.field == "rows.0.model"
