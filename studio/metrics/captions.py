"""A picture in words: those of the base that it is for, or a captioning network's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from PIL import Image

from studio.auxiliary import auxiliary
from studio.engine.families.pretrained import guarded
from studio.library import ModelEntry
from studio.library.hub import in_cache
from studio.library.vocabulary import of
from studio.metrics.networks import OPENERS, Network, offline, source_of, whole
from studio.metrics.scores import cosine

CAPTIONER = "microsoft/git-large-coco"  # Wang et al. 2022
SIZE, WEIGHTS = "1.6 GB", "model.safetensors"  # of it
CLIP = "clip"  # beside a base that says what it knows: names what its pictures show
MOST_TOKENS = 50  # of a caption
_loading = Lock()


def caption(picture: Image.Image, base: ModelEntry | None = None) -> str:
    """What a picture shows, as a prompt might say it.

    Where the base has a vocabulary and a CLIP beside it, of its phrases: what is nearest among those
    of which a picture has one, then one of each further group that brings the text nearer (CLIP's
    cosine). Else a caption of :data:`CAPTIONER`, the most probable one.

    Args:
        picture: RGB. base: that the words are for.

    Raises:
        MissingModel: the captioning network is not here, and may not be fetched, or what is here
            cannot be loaded.
    """
    found = _worded(base)
    if found is None:
        return _captioned(picture)
    words, clip = found
    return _of_vocabulary(picture, words, _loaded(lambda: _clip(str(clip)), str(clip)))


def fetches(base: ModelEntry | None = None) -> bool:
    """Whether :func:`caption` would fetch :data:`CAPTIONER` first, as it is not on this machine.

    Raises:
        MissingModel: it is not, and may not be fetched.
    """
    if _worded(base) is not None or source_of(CAPTIONER) != CAPTIONER or offline():
        return False
    return in_cache(CAPTIONER, WEIGHTS) is None


def _worded(base: ModelEntry | None) -> tuple[dict[str, Any], Path] | None:
    """A base's vocabulary, where it says what a picture has one of, and its CLIP's folder."""
    words = of(base) if base is not None else None
    if words is None or base is None or not _alone(words):
        return None
    clip = Path(base.path) / CLIP
    return (words, clip) if (clip / "config.json").is_file() else None


def _alone(words: dict[str, Any]) -> list[str]:
    """The phrases of which a picture has one."""
    groups = (words["alone"] or {}).get("groups", ())
    return [
        phrase
        for group in words["groups"]
        if group["title"] in groups
        for phrase in group["phrases"]
    ]


def _of_vocabulary(picture: Image.Image, words: dict[str, Any], clip: Network) -> str:
    alone = words["alone"]["groups"]
    groups = [group["phrases"] for group in words["groups"] if group["title"] not in alone]
    seen = clip.pictures([picture], "pooled")
    text = _nearest(seen, [_with_article(phrase) for phrase in _alone(words)], clip)
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
    processor, network = _loaded(lambda: _captioner(offline()), CAPTIONER)
    pixels = processor(images=picture, return_tensors="pt").pixel_values
    made = network.generate(pixel_values=pixels, max_new_tokens=MOST_TOKENS, do_sample=False)
    return processor.batch_decode(made, skip_special_tokens=True)[0].strip()


def _loaded(load: Callable[[], Any], name: str) -> Any:
    """A network; one at a time, so that none is fetched or read twice.

    Raises:
        MissingModel: it cannot be loaded; names it.
    """
    with _loading:
        return guarded(load, name)


@auxiliary()
def _captioner(_: bool) -> tuple[Any, Any]:
    from transformers import AutoProcessor, GitForCausalLM

    source = source_of(CAPTIONER)
    processor = AutoProcessor.from_pretrained(source, local_files_only=offline())
    return processor, whole(GitForCausalLM, source).float().eval()


@auxiliary(2)
def _clip(source: str) -> Network:
    return OPENERS["clip"](source, torch.device("cpu"))
