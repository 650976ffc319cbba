"""The parts of a picture that finders name: faces by the cascade, words by CLIPSeg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTokenizer,
    ViTImageProcessor,
)

from studio.errors import StudioError
from studio.preprocessors import parts, worded
from studio.preset import Detail
from studio.preset.finders import FINDERS, Finder
from tests.support import REPOSITORY

PICTURE = Image.fromarray(data.astronaut())  # 512 × 512; her face is at the top, left of the middle


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIPSeg of random weights, as a folder of the hub's."""
    folder = tmp_path_factory.mktemp("clipseg")
    tokenizer = CLIPTokenizer.from_pretrained(REPOSITORY / "assets" / "starter" / "tokenizer")
    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3}
    small |= {"num_attention_heads": 2}
    words = {"vocab_size": len(tokenizer), "max_position_embeddings": 77, "projection_dim": 16}
    words |= {"eos_token_id": tokenizer.eos_token_id}
    config = CLIPSegConfig(
        text_config={**small, **words},
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    CLIPSegForImageSegmentation(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    CLIPSegProcessor(ViTImageProcessor(size=size), tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def small(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(worded, "WEIGHTS", str(weights))
    worded._network.cache_clear()
    yield weights
    worded._network.cache_clear()


def test_a_face_is_found_where_it_is() -> None:
    (mask,) = parts.parts_of(PICTURE, Detail(finder="faces", grow=0))
    left, top, right, bottom = mask.getbbox() or (0, 0, 0, 0)
    assert 140 < left < 190 and 30 < top < 80 and 270 < right < 310 and 160 < bottom < 210
    assert mask.getpixel((222, 115)) == 255 and mask.getpixel((400, 400)) == 0
    (grown,) = parts.parts_of(PICTURE, Detail(finder="faces", grow=10))
    assert grown.getbbox() == (left - 10, top - 10, right + 10, bottom + 10)
    assert parts.parts_of(Image.new("RGB", (64, 64)), Detail(finder="faces")) == []


def test_words_are_read_as_transformers_reads_them(small: Path) -> None:
    network = CLIPSegForImageSegmentation.from_pretrained(small).eval()
    processor = CLIPSegProcessor.from_pretrained(small)
    for phrases in (["cat"], ["cat", "red hat"]):
        found = worded.heat_maps(PICTURE, phrases)
        for phrase, heat in zip(phrases, found, strict=True):
            read = processor(text=[phrase], images=[PICTURE], return_tensors="pt")
            with torch.no_grad():
                logits = network(**read).logits.reshape(1, 1, 32, 32)
            expected = torch.nn.functional.interpolate(
                torch.sigmoid(logits), size=(512, 512), mode="bilinear"
            )[0, 0]
            assert heat.size == PICTURE.size
            assert np.abs(np.asarray(heat) - expected.numpy()).max() < 1e-3


def test_each_connected_place_of_each_phrase_is_a_part_the_largest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = np.zeros((64, 64), np.float32), np.zeros((64, 64), np.float32)
    one[4:12, 4:12], one[30:60, 30:60], one[0, 63] = 0.5, 0.7, 1.0
    other[40:56, 4:20] = 0.45
    heats = [Image.fromarray(one), Image.fromarray(other)]
    monkeypatch.setattr(worded, "heat_maps", lambda picture, phrases: heats[: len(phrases)])
    picture = Image.new("RGB", (64, 64))

    def boxes(**asked: object) -> list[tuple[int, int, int, int] | None]:
        detail = Detail(finder="words", grow=0, **{"words": "cat, hat", **asked})  # type: ignore[arg-type]
        return [mask.getbbox() for mask in parts.parts_of(picture, detail)]

    large, small, second = (30, 30, 60, 60), (4, 4, 12, 12), (4, 40, 20, 56)
    assert boxes()[:3] == [large, second, small]
    assert boxes(confidence=0.6)[:1] == [large] and second not in boxes(confidence=0.6)
    assert boxes(words="cat")[:2] == [large, small]
    assert boxes(most=1) == [large]


def test_specks_are_no_parts() -> None:
    inside = np.zeros((256, 256), bool)
    inside[0, 0], inside[10:14, 10:14] = True, True
    assert [mask.getbbox() for mask in worded._parts(inside)] == [(10, 10, 14, 14)]


def test_weights_that_are_not_here_are_said_with_the_way_out() -> None:
    worded._network.cache_clear()
    with pytest.raises(StudioError, match=r"STUDIO_ALLOW_DOWNLOAD=1 .* choose faces") as caught:
        parts.see_ready(Detail(finder="words", words="face"))
    assert caught.value.field == "detail.finder"
    parts.see_ready(Detail(finder="faces"))
    parts.see_ready(Detail())


def test_weights_that_lack_a_tensor_are_refused(small: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = small / "model.safetensors"
    whole = load_file(file)
    save_file({k: v for k, v in whole.items() if "film_mul.bias" not in k}, file)
    try:
        with pytest.raises(StudioError, match=r"lacks the tensor .*film_mul.bias"):
            parts.see_ready(Detail(finder="words", words="face"))
    finally:
        save_file(whole, file)


def test_a_finder_that_gives_no_masks_is_named() -> None:
    FINDERS.register("wrong", Finder("wrong", "", lambda picture, detail: [Image.new("L", (3, 3))]))
    try:
        with pytest.raises(StudioError, match="'wrong' gave no masks of 512x512"):
            parts.parts_of(PICTURE, Detail(finder="wrong"))
    finally:
        FINDERS.remove("wrong")
