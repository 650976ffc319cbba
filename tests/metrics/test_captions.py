"""Pictures in words: of the starter's vocabulary by its CLIP, else by a captioning network."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from studio.library import Library, ModelEntry
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


def entry_of(folder: Path, alone: object, phrases: tuple[str, ...] = ("cat",)) -> ModelEntry:
    """A base with a CLIP beside it that cannot be loaded, and a vocabulary."""
    (folder / "clip").mkdir(parents=True)
    (folder / "clip" / "config.json").write_text("{")
    groups = [{"title": "Animals", "phrases": list(phrases)}]
    (folder / "vocabulary.json").write_text(json.dumps({"groups": groups, "alone": alone}))
    return replace(Library()["starter"], id="words", path=str(folder))


@needs_starter
@pytest.mark.parametrize(
    ("alone", "phrases"),
    [
        (None, ("cat",)),
        ({}, ("cat",)),
        ({"groups": ["Cars"]}, ("cat",)),
        ({"groups": ["Animals"]}, ()),
    ],
    ids=str,
)
def test_a_vocabulary_that_names_nothing_to_begin_with_is_none(
    here: Path, tmp_path: Path, alone: object, phrases: tuple[str, ...]
) -> None:
    picture = Image.new("RGB", (32, 32), "red")
    assert captions.caption(picture, entry_of(tmp_path, alone, phrases)) == captions.caption(
        picture
    )


@needs_starter
def test_a_network_that_cannot_be_loaded_is_said_in_one_line(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, {"groups": ["Animals"]})
    with pytest.raises(MissingModel, match="clip' cannot be loaded: "):
        captions.caption(Image.new("RGB", (32, 32)), entry)


def test_two_that_ask_at_once_load_the_captioner_once(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    whole = captions.whole

    def slow(kind: Any, source: str) -> Any:
        loaded.append(source)
        time.sleep(0.2)
        return whole(kind, source)

    monkeypatch.setattr(captions, "whole", slow)
    picture = Image.new("RGB", (32, 32), "red")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(captions.caption, [picture] * 2)
    assert first == second and len(loaded) == 1


def test_what_is_to_be_fetched_first_is_known(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not captions.fetches()  # it is here
    monkeypatch.setattr(captions, "source_of", lambda name: name)
    monkeypatch.setattr(captions, "offline", lambda: False)
    monkeypatch.setattr(captions, "in_cache", lambda name, file: None)
    assert captions.fetches()
    monkeypatch.setattr(captions, "in_cache", lambda name, file: here)
    assert not captions.fetches()
