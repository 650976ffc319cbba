"""New words for a text tower that is there: another tokenizer, and what was learned of the old tokens kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTokenizer

from studio.starter.common import log
from studio.starter.pictures.captions import corpus
from studio.starter.stages import tokenizer as bpe

EMBEDDINGS = "token_embedding.weight"


def unknown_words(tokenizer: CLIPTokenizer) -> list[str]:
    """Words of the captions that are not one token each."""
    words = {word.strip(",") for text in corpus() for word in text.split()}
    return sorted(word for word in words if len(tokenizer.tokenize(word)) != 1)


def widen(work: Path) -> None:
    """Where captions have words that the tokenizer cuts up: learn another, and carry the embeddings over.

    Tokens that both tokenizers have keep their embeddings; new ones begin at the mean of all with noise of
    the embeddings' own spread. The text tower is to be grounded again after that.
    """
    folder = work / "tokenizer"
    before = CLIPTokenizer.from_pretrained(folder)
    missing = unknown_words(before)
    if not missing:
        return
    after = bpe.train(corpus())
    log(f"widen: {len(missing)} new words, {len(before)} tokens become {len(after)}")
    weights = work / "text_encoder" / "model.safetensors"
    if weights.exists():
        _carry_over(work / "text_encoder", before, after)
    shutil.rmtree(folder)
    after.save_pretrained(folder)
    for name in ("ground.pt", "clip.pt", "figures/ground.json"):
        (work / name).unlink(missing_ok=True)


def _carry_over(folder: Path, before: CLIPTokenizer, after: CLIPTokenizer) -> None:
    state = load_file(folder / "model.safetensors")
    key = next(name for name in state if name.endswith(EMBEDDINGS))
    old, ids = state[key].float(), before.get_vocab()
    noise = torch.randn(len(after), old.shape[1], generator=torch.Generator().manual_seed(0))
    new = old.mean(0) + old.std(0) * noise
    for token, number in after.get_vocab().items():
        if token in ids:
            new[number] = old[ids[token]]
    state[key] = new.to(state[key].dtype)
    config = CLIPTextConfig.from_pretrained(folder)
    config.update(
        {
            "vocab_size": len(after),
            "bos_token_id": after.bos_token_id,
            "eos_token_id": after.eos_token_id,
            "pad_token_id": after.eos_token_id,
        }
    )
    config.save_pretrained(folder)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
