"""Networks alone in one file, and odd layouts of whole models, against diffusers' own classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLControlNetPipeline,
)
from diffusers.models.attention_processor import Attention
from PIL import Image
from safetensors.torch import load_file

from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.errors import IncompatibleModels, MissingModel
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny_checkpoints as tiny
from tests.support import tiny_files, tiny_pictures
from tests.support.tiny_pictures import difference

CPU = torch.device("cpu")
UNET, VAE = "model.diffusion_model.", "first_stage_model."


def loader_of(root: Path) -> Loader:
    return Loader(Library((root,)), Registry(2**30), CPU, torch.float32)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model of SD 1.x, ``base``, and its state to cut files from."""
    folder = tmp_path_factory.mktemp("models")
    tiny_files.save_whole_model(folder / "base.safetensors", "sd1", tiny.parts("sd1"))
    return folder


@pytest.fixture(scope="module")
def state(root: Path) -> dict[str, torch.Tensor]:
    return load_file(root / "base.safetensors")


@pytest.fixture(scope="module")
def expected(root: Path) -> np.ndarray:
    return tiny.ours(root, "base")


def part(state: dict[str, torch.Tensor], prefix: str, kept: bool) -> dict[str, torch.Tensor]:
    """The tensors of a part, with the beginning of their names or without it."""
    return {
        key if kept else key.removeprefix(prefix): value
        for key, value in state.items()
        if key.startswith(prefix)
    }


def equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)


def heads(network: torch.nn.Module) -> list[int]:
    return [layer.heads for layer in network.modules() if isinstance(layer, Attention)]


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("naming", ["control_model.", "", "diffusers"])
def test_a_controlnet_in_one_file(family: str, naming: str, tmp_path: Path) -> None:
    """As A1111 and kohya keep them, with and without their prefix; XL's have diffusers' names."""
    if family == "sdxl" and naming != "diffusers":
        pytest.skip("XL's ControlNets are published in diffusers' names")
    net = tiny.controlnet(family)
    states = tiny.original_controlnet(net) if naming != "diffusers" else net.state_dict()
    if naming == "":
        states = {key.removeprefix("control_model."): value for key, value in states.items()}
    tiny.save(states, tmp_path / "ControlNet/control_v11p_canny_fp16.safetensors")
    library = Library((tmp_path,))
    (entry,) = library.entries()
    assert (entry.kind, entry.family, entry.control) == ("controlnet", family, "canny")
    found = loader_of(tmp_path).controlnet(entry.id)
    assert equal(found, net)
    assert heads(found) == heads(net)


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_its_row_is_their_controlnet_pipeline(family: str, tmp_path: Path) -> None:
    networks, net = tiny.parts(family), tiny.controlnet(family)
    tiny_files.save_whole_model(tmp_path / "base.safetensors", family, networks)
    states = net.state_dict() if family == "sdxl" else tiny.original_controlnet(net)
    tiny.save(states, tmp_path / "guide.safetensors")
    noise = np.random.default_rng(1).integers(0, 255, (tiny.SIZE, tiny.SIZE, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "map.png")
    kind: Any = (
        StableDiffusionXLControlNetPipeline
        if family == "sdxl"
        else StableDiffusionControlNetPipeline
    )
    pipe = kind(**tiny.pipeline(family, networks).components, controlnet=net)
    theirs = tiny_pictures.theirs(pipe, tiny.PROMPT, tiny.SIZE, image=Image.fromarray(noise))
    # Their pipeline guides both passes; here the row's map is a row of its own for the empty prompt.
    control = {"type": "map", "image": "map.png", "model": "guide"}
    rows = [
        {"prompt": tiny.PROMPT, "weight": tiny_pictures.SCALE, "control": control},
        {"prompt": "", "weight": 1 - tiny_pictures.SCALE, "control": control},
    ]
    assert difference(tiny_pictures.ours(tmp_path, "base", tiny.SIZE, rows=rows), theirs) <= 1


@pytest.mark.parametrize("kept", [True, False])
def test_a_unet_in_one_file_is_a_row(
    kept: bool, root: Path, state: dict[str, torch.Tensor], expected: np.ndarray, tmp_path: Path
) -> None:
    """With the beginning of its names, and bare as ComfyUI's ``diffusion_models`` are."""
    _linked(root, tmp_path)
    tiny.save(part(state, UNET, kept), tmp_path / "unet.safetensors")
    entry = Library((tmp_path,))["unet"]
    assert (entry.kind, entry.family, entry.lacks) == ("finetune", "sd1", ("vae", "text"))
    assert difference(tiny.ours(tmp_path, "base", row={"model": "unet"}), expected) <= 1
    with pytest.raises(IncompatibleModels, match="'unet' holds no text encoder") as caught:
        compile_plan(validate({"base": "unet"}), Library((tmp_path,)))
    assert caught.value.field == "base"


def test_a_unet_in_one_file_with_diffusers_names(
    root: Path, expected: np.ndarray, tmp_path: Path
) -> None:
    _linked(root, tmp_path)
    tiny.save(tiny.parts("sd1")["unet"].state_dict(), tmp_path / "unet.safetensors")
    assert difference(tiny.ours(tmp_path, "base", row={"model": "unet"}), expected) <= 1


@pytest.mark.parametrize("form", ["whole", "bare", "diffusers", "folder"])
def test_an_autoencoder_chosen_for_a_preset(
    form: str, root: Path, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """The picture is that of the base with the other autoencoder in its file."""
    _linked(root, tmp_path)
    torch.manual_seed(8)
    other = {key: value + torch.randn_like(value) * 0.05 for key, value in state.items()}
    mixed = {key: other[key] if key.startswith(VAE) else value for key, value in state.items()}
    tiny.save(mixed, tmp_path / "mixed.safetensors")
    wanted = tiny.ours(tmp_path, "mixed")
    if form in ("whole", "bare"):
        tiny.save(part(other, VAE, form == "whole"), tmp_path / "vae/mine.safetensors")
    else:
        vae: Any = loader_of(tmp_path).vae("mixed")
        assert isinstance(vae, AutoencoderKL)
        if form == "folder":
            vae.save_pretrained(tmp_path / "vae/mine")
        else:
            tiny.save(vae.state_dict(), tmp_path / "vae/mine.safetensors")
    assert Library((tmp_path,))["vae/mine"].kind == "vae"
    found = tiny.ours(tmp_path, "base", vae="vae/mine")
    assert difference(found, wanted) <= 1
    assert difference(tiny.ours(tmp_path, "base"), wanted) > 5
    assert difference(tiny.ours(tmp_path, "base", vae="mixed"), wanted) <= 1


def test_a_checkpoint_without_an_autoencoder(
    root: Path, state: dict[str, torch.Tensor], expected: np.ndarray, tmp_path: Path
) -> None:
    """A row decodes with its base's; a base with the one that the preset names."""
    _linked(root, tmp_path)
    cut = {key: value for key, value in state.items() if not key.startswith(VAE)}
    tiny.save(cut, tmp_path / "pruned.safetensors")
    assert difference(tiny.ours(tmp_path, "base", row={"model": "pruned"}), expected) <= 1
    assert difference(tiny.ours(tmp_path, "pruned", vae="base"), expected) <= 1
    with pytest.raises(IncompatibleModels, match="name one of the library as vae") as caught:
        compile_plan(validate({"base": "pruned"}), Library((tmp_path,)))
    assert caught.value.field == "base"


def test_an_autoencoder_of_other_latents_is_refused(root: Path, tmp_path: Path) -> None:
    _linked(root, tmp_path)
    vae = AutoencoderKL(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=16,
    )
    tiny.save(vae.state_dict(), tmp_path / "wide.safetensors")
    library = Library((tmp_path,))
    for name, why in (("wide", "'wide' decodes latents 16x8"), ("nothing", "not in the library")):
        with pytest.raises((IncompatibleModels, MissingModel), match=why) as caught:
            compile_plan(validate({"base": "base", "vae": name}), library)
        assert caught.value.field == "vae"


def test_sd_turbo_is_no_refiner(tmp_path: Path) -> None:
    """SD 2.1 under the newer code's names; SD-Turbo predicts ε."""
    networks = tiny.parts("sd2")
    tiny_files.save_whole_model(tmp_path / "plain.safetensors", "sd2", networks)
    state = load_file(tmp_path / "plain.safetensors")
    renamed = {
        key.replace("cond_stage_model.", "conditioner.embedders.0."): value
        for key, value in state.items()
    }
    tiny.save(renamed, tmp_path / "turbo.safetensors")
    entry = Library((tmp_path,))["turbo"]
    assert (entry.family, entry.prediction, entry.problem) == ("sd2", "epsilon", "")
    assert difference(tiny.ours(tmp_path, "turbo"), tiny.theirs("sd2", networks)) <= 1
    refiner = renamed | {f"{UNET}label_emb.0.0.weight": torch.ones(2, 2)}
    tiny.save(refiner, tmp_path / "refiner.safetensors")
    assert "refiner" in Library((tmp_path,))["refiner"].problem


def test_odd_names_and_more_tensors_change_nothing(
    state: dict[str, torch.Tensor], expected: np.ndarray, tmp_path: Path
) -> None:
    """CLIP's layers without ``text_model``; position ids, averages and tables beside the weights."""
    ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    more = {
        ids: torch.arange(77).half()[None],
        "model_ema.decay": torch.tensor(0.99),
        "model_ema.diffusion_modelout2bias": torch.ones(4),
        "betas": torch.ones(1000),
        "cond_stage_model.logit_scale": torch.tensor(1.0),
    }
    bare = {key.replace(".transformer.text_model.", ".transformer."): v for key, v in state.items()}
    for name, odd in (("more", state | more), ("bare", bare)):
        tiny.save(odd, tmp_path / f"{name}.safetensors")
        assert difference(tiny.ours(tmp_path, name), expected) <= 1


@pytest.mark.parametrize(
    "name",
    [
        f"{UNET}out.2.bias",
        f"{UNET}middle_block.1.proj_in.weight",
        f"{VAE}decoder.conv_out.bias",
        "cond_stage_model.transformer.text_model.final_layer_norm.bias",
    ],
)
def test_a_missing_tensor_is_named(
    name: str, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    tiny.save(
        {key: value for key, value in state.items() if key != name}, tmp_path / "m.safetensors"
    )
    with pytest.raises(MissingModel, match=r"'m' lacks the tensor \S+") as caught:
        tiny.ours(tmp_path, "m")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("lllite_unet_input_blocks_1_1.conditioning1.0.weight", "LLLite"),
        ("lora_controlnet", "Control-LoRA"),
    ],
)
def test_relatives_of_controlnets_are_refused_by_name(key: str, why: str, tmp_path: Path) -> None:
    tiny.save({key: torch.ones(2, 2)}, tmp_path / "it.safetensors")
    (entry,) = Library((tmp_path,)).refused()
    assert entry.kind == "controlnet"
    assert why in entry.problem


def test_one_shard_of_a_file_is_refused_by_name(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    tiny.save(part(state, UNET, True), tmp_path / "big-00001-of-00002.safetensors")
    assert "one part of several" in Library((tmp_path,)).refused()[0].problem


def _linked(root: Path, folder: Path) -> None:
    (folder / "base.safetensors").hardlink_to(root / "base.safetensors")
