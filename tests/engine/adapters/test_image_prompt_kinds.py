"""Kinds of image-prompt adapters, and where their image encoder lies; diffusers as the oracle."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from studio.engine import Engine
from studio.engine.networks.image_encoders import load_image_encoder
from studio.errors import IncompatibleModels, StudioError
from studio.library import Library
from studio.library.image_encoders import image_encoder
from studio.plan import compile_plan
from studio.preset import validate
from tests.support.tiny_image_prompts import library, make, row, theirs


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("name", ["plus", "full-face"])
def test_those_that_read_all_patches(name: str, root: Path) -> None:
    seen = row("red")
    seen["image_prompt"]["model"] = f"ip/{name}"
    ours = make(root, rows=[seen])[0]
    assert np.abs(ours - theirs(root, "red", name=name)).max() <= 1
    assert np.abs(ours - make(root, rows=[row("red")])[0]).max() > 1


LORA = {"ip_adapter.0.to_q_lora.down.weight": (4, 8), "ip_adapter.0.to_q_lora.up.weight": (8, 4)}


@pytest.mark.parametrize(
    "shapes",
    [
        {"image_proj.proj.0.weight": (4, 4), "image_proj.norm.weight": (4,), **LORA},  # FaceID
        {"image_proj.proj.0.weight": (4, 4), "image_proj.norm.weight": (4,)},  # its portraits
        {"image_proj.perceiver_resampler.proj_in.weight": (4, 4), **LORA},  # FaceID Plus
        {"image_proj.latents": (1, 16, 8), "image_proj.proj_in.weight": (8, 512)},  # InstantID
    ],
)
def test_those_for_detected_faces_are_listed_with_their_reason(
    shapes: dict[str, tuple[int, ...]], tmp_path: Path
) -> None:
    attention = {"ip_adapter.1.to_k_ip.weight": (8, 768)}
    state = {name: torch.ones(shape) for name, shape in (shapes | attention).items()}
    save_file(state, tmp_path / "face.safetensors")
    (entry,) = Library((tmp_path,)).refused()
    assert (entry.kind, entry.family) == ("ip-adapter", "sd1") and "FaceID" in entry.problem


def test_an_image_encoder_without_a_tensor_is_refused_by_name(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "ip", tmp_path / "ip")
    file = tmp_path / "ip/image_encoder/model.safetensors"
    state = load_file(file)
    del state["visual_projection.weight"]
    save_file(state, file, metadata={"format": "pt"})
    shutil.copytree(root / "base", tmp_path / "base")
    engine = Engine(device="cpu", library=Library((tmp_path,)), image_roots=[root])
    with pytest.raises(StudioError, match=r"lacks the tensor visual_projection\.weight") as caught:
        list(engine.generate(validate({"base": "base", "rows": [row("red")]})))
    assert caught.value.field == "rows.0.image_prompt.model"


@pytest.mark.parametrize("form", ["file", "folder"])
def test_an_image_encoder_among_others(form: str, root: Path, tmp_path: Path) -> None:
    """As ComfyUI has them: the one that gives what the adapter reads is taken."""
    (tmp_path / "ipadapter").mkdir()
    several = tmp_path / "clip_vision"
    several.mkdir()
    for name in ("light", "plus"):
        shutil.copy(root / f"ip/{name}.safetensors", tmp_path / "ipadapter")
    save_file({"x": torch.ones(1)}, several / "a.safetensors")
    (several / "b.bin").write_bytes(b"pickle")
    assert image_encoder(tmp_path / "ipadapter/light.safetensors") is None
    config = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        projection_dim=10,
        num_hidden_layers=2,
        num_attention_heads=1,
        image_size=16,
        patch_size=8,
        hidden_act="gelu",
    )
    right = CLIPVisionModelWithProjection(config).eval()
    if form == "folder":
        right.save_pretrained(several / "right")
    else:
        state = {key: value.contiguous() for key, value in right.state_dict().items()}
        save_file(state, several / "right.safetensors")
    place = image_encoder(tmp_path / "ipadapter/light.safetensors")
    assert place is not None and place.stem == "right"
    found = load_image_encoder(place, "light").eval()
    pixels = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(found(pixels).image_embeds, right(pixels).image_embeds)
    assert image_encoder(tmp_path / "ipadapter/plus.safetensors") is None  # 12 wide, not 16


def test_one_without_its_image_encoder_is_listed_with_what_it_needs(root: Path) -> None:
    found = Library((root,))
    assert "alone/light" in {entry.id for entry in found.refused()}
    assert "needs its image encoder" in found["alone/light"].problem
    assert not found["ip/light"].problem


def test_an_image_encoder_of_another_width_is_named(root: Path, tmp_path: Path) -> None:
    for name in ("base", "ip"):
        shutil.copytree(root / name, tmp_path / name)
    state = load_file(root / "ip/light.safetensors")
    state["image_proj.proj.weight"] = torch.ones(len(state["image_proj.proj.weight"]), 14)
    save_file(state, tmp_path / "ip/light.safetensors")
    engine = Engine(device="cpu", library=Library((tmp_path,)), image_roots=[root])
    preset = validate({"base": "base", "rows": [row("red")]})
    with pytest.raises(IncompatibleModels, match=r"reads features 14 wide, .* has 10") as caught:
        compile_plan(preset, engine.library)  # before anything is loaded
    assert caught.value.field == "rows.0.image_prompt.model"
