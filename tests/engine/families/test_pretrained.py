"""What comes in: safetensors only, sane configs, nothing missing; each refusal names the model."""

from __future__ import annotations

import json
import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.engine.families import family_named
from studio.engine.families.pretrained import check_config, guarded
from studio.errors import MissingModel
from studio.library import Library
from tests.support import tiny

CPU = torch.device("cpu")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    tiny.pipeline(tmp_path / "base")
    return tmp_path / "base"


def load(base: Path, part: str) -> Any:
    """A part of the pipeline, by the family's own loader."""
    family, entry = family_named("sd1"), Library((base.parent,))["base"]
    read = {"unet": family.load_network, "text_encoder": family.load_text, "vae": family.load_vae}
    return read[part](entry, CPU, torch.float32)


FILES = {
    "unet": ("unet/diffusion_pytorch_model.safetensors", "conv_out.bias"),
    "text_encoder": ("text_encoder/model.safetensors", "final_layer_norm.weight"),
    "vae": ("vae/diffusion_pytorch_model.safetensors", "quant_conv.bias"),
}


@pytest.mark.parametrize("part", FILES)
def test_a_missing_tensor_is_named(part: str, base: Path) -> None:
    file, tensor = base / FILES[part][0], FILES[part][1]
    state = load_file(file)
    name = next(key for key in state if key.endswith(tensor))
    save_file({k: v for k, v in state.items() if k != name}, file, {"format": "pt"})
    with pytest.raises(MissingModel, match=rf"'base' lacks the tensor \S*{tensor}") as caught:
        load(base, part)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", FILES)
def test_whole_parts_load(part: str, base: Path) -> None:
    assert load(base, part) is not None


def test_a_text_tower_may_call_its_layers_by_either_name(base: Path) -> None:
    file = base / FILES["text_encoder"][0]
    state = load_file(file)
    expected = {
        key: value.clone() for key, value in load(base, "text_encoder").state_dict().items()
    }
    for renamed in (
        {f"text_model.{key.removeprefix('text_model.')}": value for key, value in state.items()},
        {key.removeprefix("text_model."): value for key, value in state.items()},
    ):
        save_file(renamed, file, {"format": "pt"})
        found = load(base, "text_encoder").state_dict()
        assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_shards_are_one_network(base: Path) -> None:
    """As diffusers saves networks of more than ten gigabytes, in either precision's name."""
    from diffusers import UNet2DConditionModel

    network = UNet2DConditionModel.from_pretrained(base / "unet")
    for variant in (None, "fp16"):
        for file in (base / "unet").glob("*.safetensors*"):
            file.unlink()
        network.save_pretrained(base / "unet", max_shard_size="20KB", variant=variant)
        assert len(list((base / "unet").glob("*.safetensors"))) > 2
        found = load(base, "unet").state_dict()
        assert all(torch.equal(found[key], value) for key, value in network.state_dict().items())


class _Marks:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("part", FILES)
def test_a_pickle_is_refused_unopened(part: str, base: Path, tmp_path: Path) -> None:
    file = base / FILES[part][0]
    file.unlink()
    name = "pytorch_model.bin" if part == "text_encoder" else "diffusion_pytorch_model.bin"
    (file.parent / name).write_bytes(pickle.dumps(_Marks(tmp_path / "opened")))
    with pytest.raises(MissingModel, match="'base' cannot be loaded"):
        load(base, part)
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("part", "setting", "value"),
    [
        ("unet", "layers_per_block", 10**6),
        ("unet", "block_out_channels", [10**9, 8]),
        ("text_encoder", "num_hidden_layers", 10**6),
        ("vae", "layers_per_block", 1e300),
    ],
)
def test_odd_configs_are_refused_at_once(part: str, setting: str, value: Any, base: Path) -> None:
    file = base / part / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {setting: value}))
    started = time.process_time()
    with pytest.raises(MissingModel, match=f"{part}/config.json: {setting} is") as caught:
        load(base, part)
    assert time.process_time() - started < 5
    assert "'base'" in str(caught.value)


def test_bounds_hold_inside_lists_and_mappings() -> None:
    check_config({"layers_per_block": 2, "a": {"b": [1, 2.5, True, None, "x"]}}, "it")
    for odd in ({"a": {"num_layers": [300]}}, {"a": [float("inf")]}, {"a": list(range(20_000))}):
        with pytest.raises(MissingModel, match=r"^it"):
            check_config(odd, "it")


@pytest.mark.parametrize(
    "full",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_memory_that_runs_out_is_not_taken_for_a_damaged_file(full: Exception) -> None:
    """diffusers looks at the file as text then, and says that it is no checkpoint."""

    def load() -> None:
        try:
            raise full
        except Exception:
            try:
                b"\xff".decode()
            except UnicodeDecodeError:
                raise OSError("Unable to load weights from checkpoint file") from None

    with pytest.raises(type(full)) as caught:
        guarded(load, "mine")
    assert caught.value is full
    with pytest.raises(MissingModel, match="'mine' cannot be loaded"):
        guarded(lambda: b"\xff".decode(), "mine")


def test_a_pipe_in_a_model_s_folder_is_not_waited_for(base: Path) -> None:
    for name in ("config.json", "more.safetensors"):
        (base / "vae" / name).unlink(missing_ok=True)
        os.mkfifo(base / "vae" / name)
        with pytest.raises(MissingModel, match=rf"'base': {name} is not a regular file"):
            load(base, "vae")
        (base / "vae" / name).unlink()
