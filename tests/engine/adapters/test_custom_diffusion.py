"""Custom Diffusion in diffusers' format: cross-attention weights and their word, in one row."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import CustomDiffusionAttnProcessor
from safetensors.torch import save_file

from studio.errors import IncompatibleModels
from studio.library import Library
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, difference, ours, theirs

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


def test_the_library_tells_kind_and_word(root: Path) -> None:
    entry = Library((root,))["dog"]
    assert (entry.kind, entry.words, entry.trigger) == ("custom-diffusion", ("<new1>",), "<new1>")


@pytest.mark.parametrize("model", ["dog", {"lora": "dog"}])
def test_at_omega_one_it_is_diffusers_pipeline(root: Path, model: object) -> None:
    pipe = tiny.load(root / "base")
    # Their own reader of this file passes over it; the processors that wrote it are the oracle.
    pipe.unet.set_attn_processor(processors_of(pipe.unet))
    pipe.load_textual_inversion(root / "dog", weight_name="<new1>.safetensors")
    row = {"prompt": "a <new1> dog", "weight": SCALE, "model": model}
    found = ours(root, rows=[row], omega=1.0)
    assert difference(found, theirs(pipe, "a <new1> dog")) <= 1
    assert difference(found, ours(root, rows=[row], omega=0.0)) > 1


def test_of_another_architecture(root: Path, tmp_path: Path) -> None:
    tiny.pipeline(tmp_path / "base")
    (tmp_path / "cat").mkdir()
    where = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor"
    save_file({f"{where}.to_k_custom_diffusion.weight": torch.ones(8, 99)}, tmp_path / "cat" / FILE)
    with pytest.raises(
        IncompatibleModels, match=r"to_k is made for another layer: \(8, 99\)"
    ) as caught:
        ours(tmp_path, rows=[{"prompt": "a", "model": "cat"}])
    assert caught.value.field == "rows.0.model"
