"""An IP-Adapter of other layers than a network's is found from the headers of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from studio.library import ModelEntry, image_encoders, image_layers
from studio.library.headers import read_header
from tests.support import tiny, tiny_checkpoints
from tests.support.tiny_files import save_whole_model
from tests.support.tiny_image_prompts import adapter_state

CROSS = {
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
}


def unet(**more: Any) -> torch.nn.Module:
    """With a cross-attention of another width in each of its parts."""
    return tiny.unet(**CROSS, **more)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    unet().save_pretrained(folder / "unet")
    return folder


def adapter(folder: Path, state: dict[str, torch.Tensor]) -> str:
    path = folder / "light.safetensors"
    save_file(state, path)
    return str(path)


def test_an_adapter_of_these_layers_fits(network: Path, tmp_path: Path) -> None:
    state = adapter_state(unet(), 10, 0)
    widths = [v.shape[0] for k, v in state.items() if k.endswith("to_k_ip.weight")]
    assert widths != sorted(widths)  # the order is seen in them
    light = adapter(tmp_path, state)
    assert image_layers.fits(light, str(network))
    assert image_layers.fits(light, str(network / "unet"))


@pytest.mark.parametrize("more", [{"layers_per_block": 2}, {"block_out_channels": (16, 8)}])
def test_one_of_other_layers_does_not(network: Path, tmp_path: Path, more: dict[str, Any]) -> None:
    state = adapter_state(unet(**more), 10, 0)
    if "layers_per_block" in more:  # as many and more, of which the first are others
        assert len(state) > len(adapter_state(unet(), 10, 0))
    assert not image_layers.fits(adapter(tmp_path, state), str(network))


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_the_layers_of_a_whole_model_s_file_are_known_too(tmp_path: Path, family: str) -> None:
    whole = tmp_path / "whole.safetensors"
    parts = tiny_checkpoints.parts(family)
    save_whole_model(whole, family, parts)
    assert image_layers.fits(adapter(tmp_path, adapter_state(parts["unet"], 10, 0)), str(whole))
    other = tiny_checkpoints.unet("sd1" if family == "sdxl" else "sdxl")
    assert not image_layers.fits(adapter(tmp_path, adapter_state(other, 10, 0)), str(whole))


@pytest.mark.parametrize("letter", "kv")
def test_one_that_lacks_a_layer_does_not(network: Path, tmp_path: Path, letter: str) -> None:
    state = adapter_state(unet(), 10, 0)
    del state[f"ip_adapter.5.to_{letter}_ip.weight"]
    assert not image_layers.fits(adapter(tmp_path, state), str(network))


def test_where_a_header_says_nothing_it_is_left_to_the_run(network: Path, tmp_path: Path) -> None:
    state = adapter_state(unet(layers_per_block=2), 10, 0)
    light = adapter(tmp_path, state)
    for other in (tmp_path / "absent", tmp_path):
        assert image_layers.fits(light, str(other))
    assert image_layers.fits(str(tmp_path / "absent.safetensors"), str(network))
    weights = next((network / "unet").glob("*.safetensors"))
    assert not image_layers.fits(light, str(network))
    weights.write_bytes(weights.read_bytes()[:-1])  # read anew, as it has changed
    assert image_layers.fits(light, str(network))


def test_a_header_is_read_once_for_its_image_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    light = Path(adapter(tmp_path, adapter_state(unet(), 10, 0)))
    for width in (8, 10):
        one = tmp_path / image_encoders.SEVERAL / f"clip{width}"
        one.mkdir(parents=True)
        (one / "config.json").write_text(json.dumps({image_encoders.EMBEDDING: width}))
    read: list[Path] = []
    monkeypatch.setattr(
        image_encoders, "read_header", lambda path: read.append(path) or read_header(path)
    )
    entry = ModelEntry("light", "ip-adapter", "", 0, str(light))
    assert image_encoders.seeing(entry) == entry
    assert read == [light]
