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
    for phrase in ("cat", "red hat"):
        heat = worded.heat_map(PICTURE, phrase)
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
    heats = {"cat": Image.fromarray(one), "hat": Image.fromarray(other)}
    asked: list[str] = []

    def heat_map(picture: Image.Image, phrase: str) -> Image.Image:
        asked.append(phrase)
        return heats[phrase]

    monkeypatch.setattr(worded, "heat_map", heat_map)
    picture = Image.new("RGB", (64, 64))

    def boxes(**asked: object) -> list[tuple[int, int, int, int] | None]:
        detail = Detail(finder="words", grow=0, **{"words": "cat, hat", **asked})  # type: ignore[arg-type]
        return [mask.getbbox() for mask in parts.parts_of(picture, detail)]

    large, small, second = (30, 30, 60, 60), (4, 4, 12, 12), (4, 40, 20, 56)
    assert boxes()[:3] == [large, second, small]
    assert boxes(confidence=0.6)[:1] == [large] and second not in boxes(confidence=0.6)
    assert boxes(words="cat")[:2] == [large, small]
    assert boxes(most=1) == [large]
    asked.clear()
    assert boxes(words="cat, hat, cat")[:2] == [large, second]
    assert asked == ["cat", "hat"]


def test_specks_are_no_parts() -> None:
    inside = np.zeros((256, 256), bool)
    inside[0, 0], inside[10:14, 10:14] = True, True
    assert [mask.getbbox() for mask in worded._parts(inside, 4)] == [(10, 10, 14, 14)]


def test_of_many_places_the_largest_alone_are_made_into_masks() -> None:
    inside = np.zeros((256, 256), bool)
    for at in range(30):
        inside[8 * at : 8 * at + 5, :5] = True
    inside[100:140, 100:140] = True
    found = worded._parts(inside, 2)
    assert len(found) == 2 and found[0].getbbox() == (100, 100, 140, 140)


def test_what_lies_within_a_larger_part_or_is_nearly_black_is_none() -> None:
    def drawn(*boxes: tuple[int, int, int, int], ink: int = 255) -> Image.Image:
        mask = Image.new("L", (64, 64))
        for box in boxes:
            mask.paste(ink, box)
        return mask

    masks = [drawn((10, 10, 20, 20)), drawn((0, 0, 40, 40)), drawn((50, 50, 60, 60), ink=6)]
    masks.append(drawn((30, 30, 60, 60)))  # beside it for the most part
    FINDERS.register("drawn", Finder("drawn", "", lambda picture, detail: masks))
    try:
        found = parts.parts_of(Image.new("RGB", (64, 64)), Detail(finder="drawn", grow=0))
    finally:
        FINDERS.remove("drawn")
    assert [mask.getbbox() for mask in found] == [(0, 0, 40, 40), (30, 30, 60, 60)]


def test_small_faces_of_a_large_picture_are_found_too() -> None:
    large = Image.new("RGB", (1024, 1024), "gray")
    face = PICTURE.crop((150, 30, 310, 210))
    for place, width in (((40, 100), 88), ((700, 500), 130)):  # of which the face is the half
        large.paste(face.resize((width, width * 180 // 160)), place)
    found = parts.parts_of(large, Detail(finder="faces", grow=0))
    middles = [
        ((m[0] + m[2]) / 2, (m[1] + m[3]) / 2) for m in (one.getbbox() or () for one in found)
    ]
    assert len(middles) == 2
    assert abs(middles[0][0] - 764) < 20 and abs(middles[1][0] - 82) < 20
    assert len(parts.parts_of(PICTURE.resize((1024, 1024)), Detail(finder="faces"))) == 1


def test_weights_that_are_not_here_are_said_with_the_way_out() -> None:
    worded._network.cache_clear()
    with pytest.raises(StudioError, match=r"STUDIO_ALLOW_DOWNLOAD=1 .* look for faces") as caught:
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
