"""Stage `clip`: a small CLIP, trained on the pictures and their captions, from nothing.

The text tower is grounded first (`grounding`) and frozen: the prior can start on it at once. The vision tower and
the projections then learn contrastively against it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
)

from studio.starter.common import SEED, Budget, Loop, autocast, log, to_float, write_json
from studio.starter.pictures.captions import caption, corpus
from studio.starter.pictures.data import Pictures
from studio.starter.shipped import load_text_tower, load_vision_tower
from studio.starter.stages import tokenizer as bpe
from studio.starter.stages.clip_batches import IMAGE, PARTS, Sampler, encode_texts
from studio.starter.stages.judge import augment
from studio.starter.stages.text_grounding import ground
from studio.starter.stages.widening import widen
from studio.starter.stream import stream

MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


def build(
    vocabulary: int, bos: int, eos: int, width: int = 192, vision_width: int = 160, layers: int = 4
) -> CLIPModel:
    """The untrained model: text of 32 tokens, pictures of 64 pixels in 8×8 patches."""
    text = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=6,
        max_position_embeddings=bpe.MAX_TOKENS,
        projection_dim=128,
        hidden_act="quick_gelu",
        bos_token_id=bos,
        eos_token_id=eos,
        pad_token_id=eos,
    )
    vision = CLIPVisionConfig(
        hidden_size=vision_width,
        intermediate_size=3 * vision_width,
        num_hidden_layers=layers,
        num_attention_heads=5,
        image_size=IMAGE,
        patch_size=8,
        projection_dim=128,
    )
    return CLIPModel(
        CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=128)
    )


def features(
    model: CLIPModel, ids: torch.Tensor, images: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit text features (N, 128) and unit picture features (N, 128)."""
    text = model.text_projection(model.text_model(input_ids=ids).pooler_output)
    vision = model.visual_projection(model.vision_model(pixel_values=images).pooler_output)
    return F.normalize(text.float(), dim=-1), F.normalize(vision.float(), dim=-1)


def save_text_encoder(model: CLIPModel, work: Path) -> None:
    """The text tower alone, as ``text_encoder/``."""
    settings: Any = model.config.text_config
    encoder = CLIPTextModel(settings)
    wanted = encoder.state_dict()
    tower = {k.removeprefix("text_model."): v for k, v in model.text_model.state_dict().items()}
    prefix = "text_model." if next(iter(wanted)).startswith("text_model.") else ""
    encoder.load_state_dict({prefix + k: v for k, v in tower.items() if prefix + k in wanted})
    encoder.save_pretrained(work / "text_encoder")


def prepare(work: Path, minutes: float, device: torch.device) -> tuple[CLIPModel, CLIPTokenizer]:
    """Tokenizer and grounded text tower: the text encoder is final after this.

    A tokenizer that is there is kept: the trainer breaks ties differently each time, and towers know it by heart.
    """
    torch.manual_seed(SEED + 1)
    if not (work / "tokenizer" / "tokenizer.json").exists():
        bpe.train(corpus()).save_pretrained(work / "tokenizer")
    widen(work)
    tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
    model: Any = build(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id)
    here = load_text_tower(model, work)
    model = model.to(device)
    if not (here and (work / "figures" / "ground.json").exists()) or (work / "ground.pt").exists():
        ground(model, tokenizer, work, minutes)
        save_text_encoder(model, work)
    else:
        log("ground: kept as it is; without figures/ground.json and --go-on it is trained further")
    return model, tokenizer


class PartCaptions:
    """Captions that name one part alone, as the frozen text tower reads them: one score for every word there is.

    A batch shows few words; against all of them, a picture's own content, style and background teach the vision
    tower as labels would. From the batch's captions alone it learned backgrounds and hardly any content.
    """

    def __init__(self, model: CLIPModel, tokenizer: CLIPTokenizer) -> None:
        device = next(model.parameters()).device
        self.pooled = []
        for place, words in enumerate(PARTS):
            said = [[(), None, None] for _ in words]
            for parts, word in zip(said, words, strict=True):
                parts[place] = (word,) if place == 0 else word
            texts = [caption(*parts) for parts in said]
            with torch.no_grad():
                ids = encode_texts(tokenizer, texts).to(device)
                self.pooled.append(model.text_model(input_ids=ids).pooler_output)

    def logits(self, model: CLIPModel, vision: torch.Tensor) -> list[torch.Tensor]:
        """Cosines of unit picture features (N, 128) with each part's captions: three tensors (N, words)."""
        text = [F.normalize(model.text_projection(p).float(), dim=-1) for p in self.pooled]
        return [vision @ t.T for t in text]


def train(
    work: Path,
    ground_minutes: float,
    minutes: float,
    device: torch.device,
    batch: int = 96,
) -> None:
    """Train (or go on training) the vision tower and the projections against the frozen text tower; ``clip/``."""
    model, tokenizer = prepare(work, ground_minutes, device)
    load_vision_tower(model, work)
    sampler = Sampler(Pictures.load(work), np.random.default_rng(SEED + 1))
    model.text_model.requires_grad_(False)
    parts = PartCaptions(model, tokenizer)
    loop = Loop(model, Budget(minutes), work / "clip.pt", rate=1e-3, warmup=60, weight_decay=0.05)

    def make(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sampler.rng = rng
        drawn, texts, numbers = sampler.batch(batch)
        return drawn, encode_texts(tokenizer, texts)[:, :20].numpy(), numbers

    batches = stream(make, device)

    def loss_of(step: int) -> torch.Tensor:
        pictures, tokens, numbers = next(batches)
        ids = torch.from_numpy(tokens).to(device)
        images = augment(to_float(pictures, device))
        with autocast(device):
            text, vision = features(model, ids, images)
        scale = model.logit_scale.float().exp().clamp(max=100)
        logits, labels = scale * text @ vision.T, torch.arange(len(text), device=device)
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
        wanted = torch.from_numpy(numbers).to(device)
        for place, cosines in enumerate(parts.logits(model, vision)):
            loss = loss + F.cross_entropy(scale * cosines, wanted[:, place])
        return loss

    for step in loop.steps(loss_of, "clip"):
        if step % 200 == 0:
            log(f"clip: {accuracies(model, parts, sampler)}")
    model.save_pretrained(work / "clip")
    CLIPImageProcessor(
        size={"shortest_edge": IMAGE}, crop_size=IMAGE, image_mean=list(MEAN), image_std=list(STD)
    ).save_pretrained(work / "clip")
    tokenizer.save_pretrained(work / "clip")
    figures = accuracies(model, parts, sampler, 800)
    log(f"clip: {figures}")
    write_json(
        {**loop.figures(batch), **figures},
        work / "figures" / "clip.json",
    )


@torch.no_grad()
def accuracies(
    model: CLIPModel, parts: PartCaptions, sampler: Sampler, count: int = 200
) -> dict[str, float]:
    """How often the right content, style and background has the nearest caption of all that name that part."""
    pictures, truth = sampler.pictures(count)
    device = next(model.parameters()).device
    vision = torch.cat(
        [
            model.visual_projection(
                model.vision_model(pixel_values=to_float(p, device)).pooler_output
            )
            for p in np.array_split(pictures, max(1, count // 100))
        ]
    )
    guesses = [c.argmax(1).cpu().numpy() for c in parts.logits(model, F.normalize(vision, dim=-1))]
    names = ("content", "style", "background")
    return {
        n: round(float((g == truth[:, i]).mean()), 3)
        for i, (n, g) in enumerate(zip(names, guesses, strict=True))
    }
