"""Learned words in the files that people share, of one text encoder and of two."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from studio.engine.adapters.learned_words import load_words
from studio.errors import IncompatibleModels
from studio.library import Library
from tests.support import tiny
from tests.support.adapter_kinds import LINEAR, kohya
from tests.support.tiny_pictures import SCALE, difference, ours

ONE, TWO = ("text_encoder",), ("text_encoder", "text_encoder_2")


def vectors(count: int, width: int) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(width + count))


@pytest.mark.parametrize(
    ("state", "words", "family", "towers"),
    [
        (
            {"string_to_param.*": vectors(3, 768), "string_to_token.*": torch.tensor(265)},
            {"my-cat": {"text_encoder": vectors(3, 768)}},
            "sd1",
            ONE,
        ),
        (
            {"string_to_param.cat": vectors(2, 1024), "name": torch.zeros(1, 1, 1)},
            {"my-cat": {"text_encoder": vectors(2, 1024)}},
            "sd2",
            ONE,
        ),
        (
            {"emb_params": vectors(8, 768), "step": torch.tensor(4)},
            {"my-cat": {"text_encoder": vectors(8, 768)}},
            "sd1",
            ONE,
        ),
        (
            {"<one>": vectors(1, 768)[0], "<two>": vectors(2, 768)},
            {
                "<one>": {"text_encoder": vectors(1, 768)},
                "<two>": {"text_encoder": vectors(2, 768)},
            },
            "sd1",
            ONE,
        ),
        (
            {"clip_l": vectors(2, 768), "clip_g": vectors(2, 1280), "t5xxl": vectors(2, 4096)},
            {"my-cat": {"text_encoder": vectors(2, 768), "text_encoder_2": vectors(2, 1280)}},
            "sdxl",
            TWO,
        ),
        (
            {"clip_g": vectors(2, 1280)},
            {"my-cat": {"text_encoder_2": vectors(2, 1280)}},
            "sdxl",
            TWO,
        ),
        (
            {"emb_params": vectors(1, 1280)},
            {"my-cat": {"text_encoder_2": vectors(1, 1280)}},
            "sdxl",
            TWO,
        ),
        (
            {
                "bundle_emb.a cat.clip_l": vectors(1, 768),
                "bundle_emb.a cat.clip_g": vectors(1, 1280),
            },
            {"a cat": {"text_encoder": vectors(1, 768), "text_encoder_2": vectors(1, 1280)}},
            "sdxl",
            TWO,
        ),
    ],
    ids=["param", "param by name", "a1111", "two words", "pair", "second", "wide", "bundled"],
)
def test_layouts(
    state: dict[str, Tensor],
    words: dict[str, dict[str, Tensor]],
    family: str,
    towers: tuple[str, ...],
    tmp_path: Path,
) -> None:
    save_file(state, tmp_path / "my-cat.safetensors")
    entry = Library((tmp_path,))["my-cat"]
    assert (entry.kind, entry.words, entry.family) == ("embedding", tuple(words), family)
    found = load_words(entry, towers).vectors
    assert {word: set(parts) for word, parts in found.items()} == {
        word: set(parts) for word, parts in words.items()
    }
    for word, parts in words.items():
        for tower, value in parts.items():
            assert torch.equal(found[word][tower], value)


def test_a_pair_for_a_base_with_one_text_encoder_is_refused(tmp_path: Path) -> None:
    save_file(
        {"clip_l": vectors(1, 768), "clip_g": vectors(1, 1280)}, tmp_path / "pair.safetensors"
    )
    with pytest.raises(IncompatibleModels, match="two text encoders"):
        load_words(Library((tmp_path,))["pair"], ONE)


def test_every_layout_makes_the_same_picture(tmp_path: Path) -> None:
    """A1111's, diffusers', and a word bundled with a LoRA of strength 0."""
    tiny.pipeline(tmp_path / "base")
    value = vectors(2, tiny.WIDTH)
    (tmp_path / "embeddings").mkdir()
    save_file({"<zwx>": value}, tmp_path / "embeddings/one.safetensors")
    save_file(
        {"string_to_param.*": value, "string_to_token.*": torch.tensor(1)},
        tmp_path / "embeddings/zwx.safetensors",
    )
    lora = kohya(LINEAR, lora_down__weight=torch.ones(1, 16), lora_up__weight=torch.ones(8, 1))
    save_file(lora | {"bundle_emb.<zwx>.string_to_param.*": value}, tmp_path / "bundle.safetensors")
    found = [
        ours(tmp_path, rows=[{"prompt": f"a {word} here", "weight": SCALE, "model": model}])
        for word, model in (
            ("<zwx>", "embeddings/one"),
            ("zwx", "embeddings/zwx"),
            ("<zwx>", {"lora": "bundle", "strength": 0.0}),
        )
    ]
    assert difference(found[0], found[1]) == difference(found[0], found[2]) == 0
    plain = ours(tmp_path, rows=[{"prompt": "a <zwx> here", "weight": SCALE}])
    assert difference(found[0], plain) > 1
