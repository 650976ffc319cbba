"""LPIPS: how different the picture looks from the references, by a network fitted to people's eyes."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from studio.auxiliary import auxiliary
from studio.errors import MissingModel
from studio.images import open_checked
from studio.metrics.networks import source_of
from studio.metrics.table import METRICS, Metric, Scored

VGG = "timm/vgg16.tv_in1k"  # torchvision's ImageNet weights, as safetensors
EDGE = 256


def lpips(scored: Scored) -> np.ndarray:
    """``mean over references of Σ_l mean_hw ‖w_l ⊙ (ŷ_l − ŷ0_l)‖²`` (Zhang et al. 2018, Eq. 1), VGG.

    ŷ_l: layer l's features at unit length over the channels. Pictures are compared at 256 pixels
    square. About 0 to 1; lower is more alike.
    """
    network = _network(str(scored.backbones.device))
    references = [_pixels(path) for path in scored.references]
    return np.array(
        [
            np.mean([_distance(network, pixels, other) for other in references])
            for pixels in map(_pixels, scored.images)
        ]
    )


@torch.inference_mode()
def _distance(network: Any, one: Tensor, two: Tensor) -> float:
    device = next(network.parameters()).device
    return float(network(one.to(device), two.to(device)))


def _pixels(path: Path) -> Tensor:
    """The picture (1, 3, 256, 256) in [-1, 1]."""
    image = open_checked(path, str(path)).convert("RGB")
    if image.size != (EDGE, EDGE):
        image = image.resize((EDGE, EDGE), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 127.5 - 1


def _weights() -> Path:
    """The VGG-16's file.

    Raises:
        MissingModel: it or the package is not here; names how to get it.
    """
    if importlib.util.find_spec("torchmetrics") is None:
        raise MissingModel(
            "needs a package: pip install -r requirements-metrics.txt", field="lpips"
        )
    file = Path(source_of(VGG)) / "model.safetensors"
    if not file.is_file():
        from huggingface_hub import hf_hub_download

        from studio.metrics.networks import offline

        file = Path(hf_hub_download(VGG, "model.safetensors", local_files_only=offline()))
    return file


@auxiliary()
def _network(device: str) -> Any:
    from safetensors.torch import load_file

    return build(load_file(_weights())).to(device)


def build(weights: Mapping[str, Tensor]) -> Any:
    """torchmetrics' LPIPS with its own linear layers, over a VGG-16's ``features.N.weight`` and ``.bias``.

    torchmetrics' public function fetches that network as a pickle.
    """
    from torchmetrics.functional.image import lpips as theirs

    with torch.device("meta"):  # nothing is drawn at random only to be replaced
        model = theirs._LPIPS(pretrained=False, net="vgg", pnet_rand=True)
    model.scaling_layer = theirs.ScalingLayer()
    own = [key for key in model.state_dict() if key.startswith("net.")]
    state = {key: weights["features." + key.split(".", 2)[2]].float() for key in own}
    linear = Path(theirs.__file__).parent / "lpips_models" / "vgg.pth"  # tensors of that package
    for key, value in torch.load(linear, map_location="cpu", weights_only=True).items():
        state |= {key: value, "lins." + key.removeprefix("lin"): value}  # one layer, by both names
    model.load_state_dict(
        {**state, **model.scaling_layer.state_dict(prefix="scaling_layer.")}, assign=True
    )
    return model.eval()


METRICS.register(
    "lpips",
    Metric(
        "lpips",
        "lower",
        "about 0 to 1",
        ("references",),
        "How different the picture looks from the references.",
        "Zhang et al. 2018, with VGG",
        each=lpips,
        at_hand=lambda backbones: _weights(),
    ),
)
