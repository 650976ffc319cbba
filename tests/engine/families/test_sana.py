"""SANA on a tiny random pipeline, against diffusers' own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    SanaPipeline,
)
from diffusers.loaders import SanaLoraLoaderMixin, TextualInversionLoaderMixin
from diffusers.training_utils import _collate_lora_metadata
from peft import LoHaConfig, LoraConfig, PeftConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file

from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done
from studio.library import Library
from studio.preset import validate
from tests.support.tiny_sana import SCALE, SHIFT, pipeline


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    transformer = pipeline(folder / "sana").transformer
    generator = torch.Generator().manual_seed(2)
    state = {}
    for name, module in transformer.named_modules():
        if name.endswith(("attn2.to_k", "attn1.to_q")):
            out, inner = module.weight.shape
            state[f"transformer.{name}.lora_A.weight"] = torch.randn(2, inner, generator=generator)
            state[f"transformer.{name}.lora_B.weight"] = torch.randn(out, 2, generator=generator)
    (folder / "loras").mkdir()
    save_file(state, folder / "loras/style.safetensors")
    return folder


def load(root: Path, scheduler: str) -> SanaPipeline:
    pipe = SanaPipeline.from_pretrained(root / "sana")
    if scheduler == "dpm++":
        pipe.scheduler = DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=SHIFT
        )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def theirs(pipe: SanaPipeline, prompt: str) -> np.ndarray:
    image = pipe(
        prompt,
        guidance_scale=SCALE,
        num_inference_steps=3,
        width=32,
        height=32,
        use_resolution_binning=False,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    return np.asarray(image).astype(int)


def make(root: Path | tuple[Path, ...], exact: bool = True, **fields: object) -> list[np.ndarray]:
    library = Library(root if isinstance(root, tuple) else (root,))
    engine = Engine(device="cpu", library=library, exact=exact)
    sampler = {
        "steps": 3,
        "seed": 3,
        "width": 32,
        "height": 32,
        "scheduler": "euler",
        **fields.pop("sampler", {}),
    }  # type: ignore[dict-item]
    preset = validate({"base": "sana", "sampler": sampler, **fields})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


def test_the_library_knows_it(root: Path) -> None:
    entry = Library((root,))["sana"]
    assert (entry.family, entry.kind, entry.size, entry.multiple) == ("sana", "base", 16, 2)
    assert entry.latent_space == "4x2:0.41407"
    assert entry.bytes == sum(
        file.stat().st_size
        for part in ("transformer", "vae", "text_encoder")
        for file in (root / "sana" / part).glob("*.safetensors")
    )


@pytest.mark.parametrize("scheduler", ["euler", "dpm++"])
def test_one_row_is_their_pipeline(root: Path, scheduler: str) -> None:
    ours = make(root, rows=[{"prompt": "A cat", "weight": SCALE}], sampler={"scheduler": scheduler})
    assert np.abs(ours[0] - theirs(load(root, scheduler), "A cat")).max() <= 1


def test_a_lora_at_omega_one_is_their_pipeline_with_it(root: Path) -> None:
    pipe = load(root, "euler")
    pipe.load_lora_weights(root / "loras", weight_name="style.safetensors")
    row = {"prompt": "a cat", "weight": SCALE, "model": {"lora": "loras/style"}}
    ours = make(root, rows=[row], omega=1.0)[0]
    assert np.abs(ours - theirs(pipe, "a cat")).max() <= 1
    assert np.abs(ours - make(root, rows=[row], omega=0.0)[0]).max() > 1


def test_a_lora_that_diffusers_saved_with_its_alpha(root: Path, tmp_path: Path) -> None:
    pipe = load(root, "euler")
    config = LoraConfig(r=2, lora_alpha=6, target_modules=["to_q", "to_v", "linear_1"])
    pipe.transformer.add_adapter(config)
    _randomise(pipe.transformer, "lora_")
    SanaPipeline.save_lora_weights(
        tmp_path / "style",
        transformer_lora_layers=get_peft_model_state_dict(pipe.transformer),
        **_collate_lora_metadata({"transformer": pipe.transformer}),
    )
    pipe = load(root, "euler")
    pipe.load_lora_weights(tmp_path / "style", adapter_name="style")
    pipe.set_adapters(["style"], [0.5])
    model = {"lora": "style", "strength": 0.5}
    row = {"prompt": "a cat", "weight": SCALE, "model": model}
    ours = make((root, tmp_path), rows=[row], omega=1.0)[0]
    assert np.abs(ours - theirs(pipe, "a cat")).max() <= 1
    assert np.abs(ours - make(root, rows=[{**row, "model": None}])[0]).max() > 1


@pytest.mark.parametrize(
    "config",
    [
        LoHaConfig(r=2, alpha=2, target_modules=["to_q", "to_v"]),
        LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=["to_q", "to_v"]),
    ],
    ids=["loha", "dora"],
)
def test_what_peft_saved_for_the_transformer(
    config: PeftConfig, root: Path, tmp_path: Path
) -> None:
    pipe = load(root, "euler")
    model = get_peft_model(pipe.transformer, config)
    _randomise(model, "hada_", "lora_A", "lora_B")
    model.save_pretrained(tmp_path / "style/transformer")
    pipe.transformer = model.merge_and_unload()
    row = {"prompt": "a cat", "weight": SCALE, "model": {"lora": "style"}}
    ours = make((root, tmp_path), rows=[row], omega=1.0)[0]
    assert np.abs(ours - theirs(pipe, "a cat")).max() <= 1
    assert np.abs(ours - make(root, rows=[{**row, "model": None}])[0]).max() > 1


def _randomise(network: torch.nn.Module, *marks: str) -> None:
    generator = torch.Generator().manual_seed(5)
    for name, parameter in network.named_parameters():
        if any(mark in name for mark in marks):
            parameter.data = torch.randn(parameter.shape, generator=generator)


def test_learned_words_are_refused_by_name(root: Path, tmp_path: Path) -> None:
    """diffusers has no textual inversion for SANA either: its pipeline loads LoRAs alone."""
    assert issubclass(SanaPipeline, SanaLoraLoaderMixin)
    assert not issubclass(SanaPipeline, TextualInversionLoaderMixin)
    save_file({"<cat>": torch.ones(1, 8)}, tmp_path / "cat.safetensors")
    save_file({"emb_params": torch.ones(1, 768)}, tmp_path / "old.safetensors")
    for name, prompt, told in (
        ("cat", "a <cat> here", "takes no learned words, such as <cat>"),
        ("old", "old", "embedding for Stable Diffusion 1.x"),
    ):
        with pytest.raises(StudioError, match=told) as caught:
            make((root, tmp_path), rows=[{"prompt": prompt, "model": name}])
        assert caught.value.field == "rows.0.model"


@pytest.mark.parametrize("scheduler", ["euler", "dpm++", "unipc"])
def test_shared_work_and_batches_change_nothing(root: Path, scheduler: str) -> None:
    rows = [{"prompt": "a cat", "weight": 3.0}, {"prompt": "b", "weight": 1.0}]
    batch = make(root, exact=False, rows=rows, sampler={"count": 2, "scheduler": scheduler})
    alone = make(root, rows=rows, sampler={"seed": 4, "scheduler": scheduler})[0]
    assert len(batch) == 2 and np.abs(batch[1] - alone).max() <= 2


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        (
            {"sampler": {"scheduler": "ddim"}},
            "sampler.scheduler",
            "cannot follow a model that predicts a flow",
        ),
        ({"rows": [{"prompt": "x" * 301}]}, "rows.0.prompt", "301 tokens; SANA reads 300"),
        ({"rows": [{"prompt": "a (cat:1.5)"}]}, "rows.0.prompt", "no attention weights"),
        ({"sampler": {"width": 17, "height": 16}}, "sampler.width", "multiple of 2"),
    ],
)
def test_what_is_refused(root: Path, fields: dict, field: str, told: str) -> None:
    with pytest.raises(StudioError, match=told) as caught:
        make(root, **fields)
    assert caught.value.field == field


def test_a_picture_to_start_from(root: Path) -> None:
    """The less of the way is run, the nearer the result stays to the picture."""
    from PIL import Image

    from studio import images

    ref = images.store(Image.new("RGB", (32, 32), "red"))
    kept, near, far = (
        make(root, sampler={"steps": 10}, init={"image": ref, "strength": strength})[0]
        for strength in (0.1, 0.2, 0.9)
    )
    assert np.abs(near - kept).mean() < np.abs(far - kept).mean()
