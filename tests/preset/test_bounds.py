"""Bounds that are read from a document's schema: they are what its validation allows."""

from __future__ import annotations

import math

import pytest
from pydantic import BaseModel, ValidationError

from studio.preset import Control, ModelRef, Row, Sampler
from studio.preset.bounds import bounds, most


@pytest.mark.parametrize(
    ("document", "field"),
    [(Row, "weight"), (Control, "strength"), (Sampler, "steps"), (Sampler, "width")],
)
def test_the_ends_are_allowed_and_no_more(document: type[BaseModel], field: str) -> None:
    given = {"type": "canny"} if document is Control else {}
    for end, beyond in zip(bounds(document, field), (-math.inf, math.inf), strict=True):
        assert getattr(document.model_validate({**given, field: end}), field) == end
        further = (
            end + (1 if beyond > 0 else -1) if isinstance(end, int) else math.nextafter(end, beyond)
        )
        with pytest.raises(ValidationError):
            document.model_validate({**given, field: further})


def test_the_most_of_a_text_and_of_a_list() -> None:
    Row(prompt="x" * most(Row, "prompt"))
    with pytest.raises(ValidationError):
        Row(prompt="x" * (most(Row, "prompt") + 1))
    words = ("w",) * most(ModelRef, "embeddings")
    ModelRef(embeddings=words)
    with pytest.raises(ValidationError):
        ModelRef(embeddings=(*words, "w"))
