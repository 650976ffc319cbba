"""A picture in words: those of the base that it is for, or a captioning network's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from studio.library import ModelEntry
from studio.library.vocabulary import of
from studio.metrics.networks import OPENERS, Network, offline, source_of, whole
from studio.metrics.scores import cosine

CAPTIONER = "microsoft/git-large-coco"  # Wang et al. 2022, 1.6 GB
CLIP = "clip"  # beside a base that says what it knows: names what its pictures show
MOST_TOKENS = 50  # of a caption


def caption(picture: Image.Image, base: ModelEntry | None = None) -> str:
    """What a picture shows, as a prompt might say it.

    Where the base has a vocabulary and a CLIP beside it, of its phrases: what is nearest among those
    of which a picture has one, then one of each further group that brings the text nearer (CLIP's
    cosine). Else a caption of :data:`CAPTIONER`, the most probable one.

    Args:
        picture: RGB. base: that the words are for.

    Raises:
        MissingModel: the captioning network is not here, and may not be fetched.
    """
    words = of(base) if base is not None else None
    clip = Path(base.path) / CLIP if base is not None and base.path else None
    if words and words["alone"] and clip is not None and (clip / "config.json").is_file():
        return _of_vocabulary(picture, words, _clip(str(clip)))
    return _captioned(picture)


def _of_vocabulary(picture: Image.Image, words: dict[str, Any], clip: Network) -> str:
    alone = set(words["alone"]["groups"])
    groups = [group["phrases"] for group in words["groups"] if group["title"] not in alone]
    shown = [
        phrase
        for group in words["groups"]
        if group["title"] in alone
        for phrase in group["phrases"]
    ]
    seen = clip.pictures([picture], "pooled")
    text = _nearest(seen, [_with_article(phrase) for phrase in shown], clip)
    for phrases in groups:
        text = _nearest(seen, [text, *(f"{text} {phrase}" for phrase in phrases)], clip)
    return text


def _nearest(seen: np.ndarray, texts: Sequence[str], clip: Network) -> str:
    read = clip.texts(list(texts))
    return texts[int(np.argmax(cosine(np.repeat(seen, len(texts), 0), read)))]


def _with_article(phrase: str) -> str:
    return f"{'an' if phrase[:1] in 'aeiou' else 'a'} {phrase}"


@torch.inference_mode()
def _captioned(picture: Image.Image) -> str:
    processor, network = _captioner(offline())
    pixels = processor(images=picture, return_tensors="pt").pixel_values
    made = network.generate(pixel_values=pixels, max_new_tokens=MOST_TOKENS, do_sample=False)
    return processor.batch_decode(made, skip_special_tokens=True)[0].strip()


@lru_cache(maxsize=1)
def _captioner(_: bool) -> tuple[Any, Any]:
    from transformers import AutoProcessor, GitForCausalLM

    source = source_of(CAPTIONER)
    processor = AutoProcessor.from_pretrained(source, local_files_only=offline())
    return processor, whole(GitForCausalLM, source).float().eval()


@lru_cache(maxsize=2)
def _clip(source: str) -> Network:
    return OPENERS["clip"](source, torch.device("cpu"))
