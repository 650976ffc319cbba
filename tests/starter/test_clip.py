"""The shipped CLIP: the same text tower as the family's, and it can tell what a picture shows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessor, CLIPModel, CLIPTextModel, CLIPTokenizer

from studio.engine import Engine
from studio.events import Done
from studio.home import ASSETS
from studio.preset import validate
from studio.starter.pictures.contents import CONTENTS, STYLES

CLIP = ASSETS / "starter" / "clip"
TRAINING = ASSETS / "examples" / "training"
pytestmark = pytest.mark.skipif(not CLIP.is_dir(), reason="no CLIP ships")


@pytest.fixture(scope="module")
def clip() -> tuple[Any, Any, Any]:
    model: Any = CLIPModel.from_pretrained(CLIP, dtype=torch.float32).eval()
    return model, CLIPTokenizer.from_pretrained(CLIP), CLIPImageProcessor.from_pretrained(CLIP)


def scores(clip: tuple[Any, Any, Any], images: list[Image.Image], texts: list[str]) -> np.ndarray:
    """Cosines (images, texts) by transformers' own forward."""
    model, tokenizer, processor = clip
    told = tokenizer(texts, padding="max_length", max_length=32, return_tensors="pt")
    pixels = processor(images=[i.convert("RGB") for i in images], return_tensors="pt")
    with torch.no_grad():
        output = model(input_ids=told.input_ids, pixel_values=pixels.pixel_values)
        return (output.logits_per_image / model.logit_scale.exp()).numpy()


def test_its_text_tower_is_the_familys_text_encoder(clip: tuple[Any, Any, Any]) -> None:
    encoder: Any = CLIPTextModel.from_pretrained(ASSETS / "starter" / "text_encoder")
    ids = clip[1](
        ["an apple in flat style"], padding="max_length", max_length=32, return_tensors="pt"
    ).input_ids
    with torch.no_grad():
        mine = clip[0].text_model(input_ids=ids).last_hidden_state
        theirs = encoder.float()(input_ids=ids).last_hidden_state
    assert (mine - theirs).abs().max() < 1e-3


def test_each_training_picture_is_nearest_to_its_own_caption(clip: tuple[Any, Any, Any]) -> None:
    captions = json.loads((TRAINING / "blob.json").read_text())
    images = [Image.open(TRAINING / name) for name in captions]
    nearest = scores(clip, images, list(captions.values())).argmax(1)
    assert (nearest == np.arange(len(images))).sum() >= len(images) - 1


def test_it_names_what_the_prior_draws(clip: tuple[Any, Any, Any]) -> None:
    names = ["heart", "key", "traffic light", "laptop", "avocado", "crying face", "penguin", "rose"]
    styles = list(STYLES)
    engine, images = Engine(device="cpu"), []
    for number, name in enumerate(names):
        prompt = f"a {name} in {styles[number % 4]} style on a blue background"
        preset = validate(
            {"rows": [{"prompt": prompt, "weight": 4.5}], "sampler": {"seed": number}}
        )
        images += [e.image for e in engine.generate(preset) if isinstance(e, Done)]
    every = [c.name for c in CONTENTS]
    ranks = (-scores(clip, images, [f"a {name}" for name in every])).argsort(1)
    found = sum(every.index(name) in ranks[i, :3] for i, name in enumerate(names))
    assert found >= 6, [every[r[0]] for r in ranks]
