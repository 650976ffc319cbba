"""Another model that finishes the picture, in the base's place (other tools' refiner)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from studio.preset.rows import MODELS, Document


class Refiner(Document):
    """The base's place is taken by ``model`` from the part ``at`` of the denoising on, under the same rows:
    what is of the base until then is of it from there on, the unconditional prediction included. The
    autoencoder stays the base's."""

    model: Annotated[
        str,
        Field(
            max_length=200,
            description="Id of a whole model that takes the base's place for the last part, under the same "
            "rows. Empty: the base makes all of it.",
            json_schema_extra={MODELS: ["base", "finetune"]},
        ),
    ] = ""
    at: Annotated[
        float,
        Field(
            ge=0.0,
            le=1.0,
            strict=True,
            description="From where on: 0 is pure noise, 1 the finished picture.",
        ),
    ] = 0.8

    @property
    def on(self) -> bool:
        """Whether another model is named."""
        return bool(self.model)
