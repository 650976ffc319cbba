"""A visual encoder's word, read from a picture (ACCORD, A.4): before the text tower, as it was trained.

The image embedding goes through the trained projection to vectors that stand where the word's would,
in front of the text tower; so the whole prompt is read with them, and CLIP's text projection, of
which PDLoss is made, can read them too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from studio.engine.adapters.files import read_state
from studio.engine.families.pretrained import from_folder
from studio.errors import IncompatibleModels, MissingModel
from studio.library import ModelEntry
from studio.library.folders import read_json

PROJECTION_FILE = "visual_projection.safetensors"
ENCODER, CLIP = "image_encoder", "clip"


class VisualEncoder(nn.Module):
    """CLIP's image encoder and the projection of its embeddings to a word's vectors."""

    def __init__(self, encoder: nn.Module, processor: Any, projection: nn.Module) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.processor = processor
        self.projection = projection

    @torch.no_grad()
    def read(self, picture: Image.Image) -> Tensor:
        """The word's vectors (vectors, width) for ``picture``."""
        pixels = self.processor(images=picture.convert("RGB"), return_tensors="pt").pixel_values
        weight = next(self.encoder.parameters())
        pixels = pixels.to(weight)
        if hasattr(self.encoder, "get_image_features"):  # a whole CLIP, as a base has it
            embedding = self.encoder.get_image_features(pixel_values=pixels).pooler_output
        else:
            embedding = self.encoder(pixels).image_embeds
        return self.projection(embedding.float())[0]


def load_visual_encoder(entry: ModelEntry, base: ModelEntry, device: torch.device) -> VisualEncoder:
    """The projection of ``entry`` and the image encoder that it was trained on.

    Raises:
        MissingModel: no image encoder beside it nor in the base's folder ``clip``, or a damaged one.
        IncompatibleModels: one of another width.
    """
    from transformers import CLIPImageProcessor, CLIPModel, CLIPVisionModelWithProjection

    folder = Path(entry.path)
    where = next((f for f in _places(folder, base) if (f / "config.json").is_file()), None)
    if where is None:
        raise MissingModel(
            f"needs the CLIP that it was trained with: put it into the folder {ENCODER!r} of the "
            f"model, or {CLIP!r} of the base",
            field=entry.id,
        )
    try:
        whole = read_json(where / "config.json").get("model_type") == "clip"
        encoder = from_folder(
            CLIPModel if whole else CLIPVisionModelWithProjection, str(where), entry.id
        )
        processor = CLIPImageProcessor.from_pretrained(where)
    except MissingModel as error:
        raise MissingModel(
            f"its image encoder cannot be used: {error.message}", field=entry.id
        ) from error
    except (OSError, ValueError) as error:
        raise MissingModel(
            f"its image encoder cannot be loaded ({error})", field=entry.id
        ) from error
    projection = _projection(read_state(folder / PROJECTION_FILE, entry.id))
    if encoder.config.projection_dim != entry.sees:
        raise IncompatibleModels(
            f"reads image embeddings {entry.sees} wide, its image encoder gives "
            f"{encoder.config.projection_dim}",
            field=entry.id,
        )
    found = VisualEncoder(encoder, processor, projection).to(device)
    return found.eval().requires_grad_(False)


def _places(folder: Path, base: ModelEntry) -> list[Path]:
    """Where its image encoder may be: with it, or in the base."""
    return [folder / ENCODER, *([Path(base.path) / CLIP] if base.path else [])]


def _projection(state: dict[str, Tensor]) -> nn.Module:
    """diffusers' ``ImageProjection`` of these weights."""
    from diffusers.models.embeddings import ImageProjection

    width = state["norm.weight"].shape[0]
    rows, embedding = state["image_embeds.weight"].shape
    projection = ImageProjection(
        image_embed_dim=embedding, cross_attention_dim=width, num_image_text_embeds=rows // width
    )
    projection.load_state_dict({key: value.float() for key, value in state.items()})
    return projection
