"""Pictures in words: of the starter's vocabulary by its CLIP, else by a captioning network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    CLIPImageProcessor,
    CLIPModel,
    CLIPTokenizer,
    GitConfig,
    GitForCausalLM,
    GitProcessor,
)

from studio.errors import MissingModel
from studio.library import Library
from studio.metrics import captions
from tests.support import REPOSITORY
from tests.support.studio_page import needs_starter

STARTER = REPOSITORY / "assets" / "starter"
CAT = REPOSITORY / "assets" / "examples" / "cat.png"


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny GIT of random weights."""
    folder = tmp_path_factory.mktemp("git")
    tokenizer = CLIPTokenizer.from_pretrained(STARTER / "tokenizer")
    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    small |= {"num_attention_heads": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    vision = {**small, "image_size": 32, "patch_size": 16}
    config = GitConfig(vision_config=vision, vocab_size=len(tokenizer), **small, **ends)
    GitForCausalLM(config).save_pretrained(folder)
    sizes = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    GitProcessor(CLIPImageProcessor(**sizes), tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def here(captioner: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(captions, "source_of", lambda name: str(captioner))
    captions._captioner.cache_clear()
    yield captioner
    captions._captioner.cache_clear()


@needs_starter
def test_the_starter_names_a_picture_in_its_own_words() -> None:
    base = Library()["starter"]
    text = captions.caption(Image.open(CAT).convert("RGB"), base)
    assert text == "a cat face in flat style on a white background"


@needs_starter
def test_the_words_are_the_nearest_by_clip_one_group_after_the_other() -> None:
    """Reckoned anew, with transformers' own model, over a small vocabulary."""
    source = STARTER / "clip"
    model, tokenizer = CLIPModel.from_pretrained(source), CLIPTokenizer.from_pretrained(source)
    picture = Image.open(CAT).convert("RGB")
    pixels = CLIPImageProcessor.from_pretrained(source)(picture, return_tensors="pt").pixel_values

    def best(texts: list[str]) -> str:
        read = tokenizer(
            texts, padding="max_length", max_length=24, truncation=True, return_tensors="pt"
        ).input_ids
        with torch.no_grad():
            seen = model(input_ids=read, pixel_values=pixels).logits_per_image[0]
        return texts[int(seen.argmax())]

    words = {
        "alone": {"groups": ["Animals"], "joined": []},
        "groups": [
            {"title": "Animals", "phrases": ["ant", "cat face", "car"]},
            {"title": "Styles", "phrases": ["in flat style", "in noto style"]},
        ],
    }
    first = best(["an ant", "a cat face", "a car"])
    expected = best([first, f"{first} in flat style", f"{first} in noto style"])
    found = captions._of_vocabulary(picture, words, captions._clip(str(source)))
    assert found == expected


def test_any_other_base_has_a_caption_as_transformers_writes_it(here: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
    processor = GitProcessor.from_pretrained(here)
    network = GitForCausalLM.from_pretrained(here).eval()
    pixels = processor(images=picture, return_tensors="pt").pixel_values
    made = network.generate(pixel_values=pixels, max_new_tokens=50, do_sample=False)
    expected = processor.batch_decode(made, skip_special_tokens=True)[0].strip()
    assert captions.caption(picture) == expected and expected


def test_a_captioner_that_is_not_here_is_named_with_the_way_to_it() -> None:
    captions._captioner.cache_clear()
    with pytest.raises(MissingModel, match=r"git-large-coco.* is not here; fetch it with"):
        captions.caption(Image.new("RGB", (32, 32)))
