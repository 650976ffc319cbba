"""One guided step of a tiny network: the preset, the studio's denoiser and a prediction made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from studio.engine.denoiser import Denoiser
from studio.engine.explain import Explainer
from studio.engine.inputs.passes import prepare_passes
from studio.engine.inputs.start_image import Pictures
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.library import Library
from studio.plan import Weights, compile_plan
from studio.plan.places import meeting_in
from studio.preset import Preset, validate
from tests.support import tiny

LEVEL = (torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64))
ALPHA, SIGMA = LEVEL
Z = torch.randn(3, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
T = torch.tensor(400)
STYLE = {"lora": "base/style", "strength": 0.7}
OTHER = {"lora": "base/other", "strength": 0.5}
Predict = Callable[..., Tensor]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    tiny.controlnet(folder / "base/guide", pipe.unet, "base")
    tiny.lora(folder / "base/style", pipe.unet)
    tiny.lora(folder / "base/other", pipe.unet, seed=4)
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16), np.uint8)
    pixels[:, :6] = 0  # the first three columns of latents stay black
    Image.fromarray(pixels).save(folder / "mask.png")
    Image.new("L", (16, 16), 255).save(folder / "white.png")
    for name, columns in {"left": slice(0, 5), "right": slice(9, 16), "rest": slice(5, 16)}.items():
        half = np.zeros((16, 16), np.uint8)  # columns 5 and 9 lie in the middle of a latent
        half[:, columns] = 255
        Image.fromarray(half).save(folder / f"{name}.png")
    Image.new("L", (16, 12), 255).save(folder / "wide.png")
    noise = np.random.default_rng(2).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(folder / "map.png")
    return folder


@pytest.fixture(scope="module")
def loader(root: Path) -> Loader:
    return Loader(Library((root,)), Registry(2**30), torch.device("cpu"), torch.float64)


@pytest.fixture(scope="module")
def predict(loader: Loader) -> Predict:
    """``ε`` under a prompt, the two LoRAs merged at their scales, one image of the batch at a time."""
    network = loader.network(Weights("base"))
    text = loader.text_encoder("base")
    family = loader.family("base")
    factors = [loader.adapter(name, "base", "base").unet for name in ("base/style", "base/other")]
    known: dict[Any, Tensor] = {}

    def run(prompt: str, scale: float = 0.0, other: float = 0.0) -> Tensor:
        if (prompt, scale, other) not in known:
            state = {k: v.clone() for k, v in network.state_dict().items()}
            for adapter, size in zip(factors, (scale, other), strict=True):
                for name, (down, up) in adapter.items():
                    change = up.flatten(1) @ down.flatten(1)
                    state[f"{name}.weight"] += size * change.view_as(state[f"{name}.weight"])
            states = family.encode_text(text, [prompt])
            with torch.no_grad():
                known[prompt, scale, other] = torch.cat(
                    [
                        torch.func.functional_call(
                            network, state, (z[None], T), {"encoder_hidden_states": states}
                        ).sample
                        for z in Z
                    ]
                )
        return known[prompt, scale, other]

    return run


def preset_of(*rows: dict[str, Any], **fields: Any) -> Preset:
    size = {"width": 16, "height": 16, "steps": 4, "scheduler": "ddim"}
    return validate({"base": "base", "rows": rows, "sampler": size, **fields})


def denoiser(loader: Loader, root: Path, preset: Preset, **options: Any) -> Denoiser:
    plan = compile_plan(
        preset,
        loader.library,
        options.pop("progress", None),
        meeting_in([root]),
        options.pop("drift_every", 0),
        explain := options.pop("explain", False),
    )
    prediction = options.pop("prediction", "epsilon")
    options |= {"explainer": Explainer(plan, prediction)} if explain else {}
    passes = prepare_passes(preset, plan, loader, [root])
    pictures = Pictures.read(plan, None, (16, 16), [root])
    masks = pictures.row_masks((8, 8), torch.device("cpu"))
    return Denoiser(plan, passes, prediction, masks=masks, **options)
