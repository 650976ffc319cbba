"""A tiny Mistral 3, whose states some families read."""

from __future__ import annotations

from transformers import Mistral3Config

from tests.support.tiny_z_image import WIDTH


def config(words: int, layers: int, kind: str = "mistral") -> Mistral3Config:
    """A language model of :data:`WIDTH` that knows so many words, beside one that sees."""
    return Mistral3Config(
        text_config={
            "model_type": kind,
            "vocab_size": words,
            "hidden_size": WIDTH,
            "intermediate_size": 16,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
        },
        vision_config={
            "hidden_size": 8,
            "intermediate_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "head_dim": 8,
            "image_size": 28,
        },
    )
