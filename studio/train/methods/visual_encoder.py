"""ACCORD's visual encoder (A.4): a projection at the end of a CLIP image encoder reads the word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import StudioError
from studio.train.adaptation import Adaptation, checkpointing, first_vectors, save_vectors
from studio.train.method import METHODS, Materials, Method

if TYPE_CHECKING:
    from studio.train.base import Base
    from studio.train.settings import TrainConfig

PROJECTION_FILE = "visual_projection.safetensors"


class VisualEncoder(Adaptation):
    """A projection of CLIP's image embeddings to the word's vectors, one reading for each picture.

    Saved twice: the projection itself, and the word that it reads from the training's own
    pictures on average, which loads as an embedding.
    """

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        import torch
        from diffusers.models.embeddings import ImageProjection

        from studio.train.trainee import Trainee

        if materials.projector is None:
            raise StudioError("needs a CLIP with an image encoder", field="clip")
        start = first_vectors(config, base)
        projection = ImageProjection(
            image_embed_dim=materials.projector.model.config.projection_dim,
            cross_attention_dim=start.shape[1],
            num_image_text_embeds=config.vectors,
        )
        with torch.no_grad():  # begin near the superclass, at the scale of the token table
            table = base.text.get_input_embeddings().weight
            projection.norm.weight.fill_(float(table.std()) / 4)
            projection.norm.bias.copy_(start[0])
        checkpointing(config, base.network)
        self.trainee = Trainee(
            base.network,
            base.family,
            base.reader(config.word, config.vectors),
            config.word,
            projection=projection.to(base.device),
        )

    def save(self, folder: Path) -> None:
        """The word on average over the pictures, and the projection."""
        import torch
        from safetensors.torch import save_file

        projection = self.trainee.projection
        assert projection is not None and self.features is not None
        device = next(projection.parameters()).device
        with torch.no_grad():
            vectors = projection(self.features.to(device)).mean(0)
        save_vectors(self.trainee.word, vectors, folder)
        save_file(
            {k: v.float().cpu().contiguous() for k, v in projection.state_dict().items()},
            folder / PROJECTION_FILE,
        )


METHODS.register(
    "visual-encoder",
    Method(
        title="Visual encoder",
        trains="a projection at the end of the CLIP image encoder, which reads the word from each "
        "picture",
        files="`visual_projection.safetensors` and, for rows without a picture, the word on "
        "average over the training's pictures",
        kind="embedding",
        build=VisualEncoder,
        settings=frozenset({"vectors"}),
        defaults={"rate": 1e-4, "steps": 1000, "template": "a {word}"},
        small={"rate": 1e-3, "batch": 8, "steps": 300},
        losses=frozenset({"ddloss", "pdloss"}),
        learns_word=True,
        reads_pictures=True,
        place=70,
    ),
)
