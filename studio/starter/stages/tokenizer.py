"""The family's own byte-pair tokenizer, in the format of CLIP's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

MAX_TOKENS = 32
START, END = "<|startoftext|>", "<|endoftext|>"


def train(texts: Iterable[str], vocabulary: int = 8000) -> CLIPTokenizer:
    """Learn merges from ``texts``; every letter stays available, so any text can be written."""
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = normalizers.Lowercase()
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=sorted(alphabet),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned: dict[str, int] = learner.get_vocab()
    merges: Any = [  # pairs, where the annotation says lines
        tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in _merges(learner)
    ]
    tokens = sorted(learned, key=lambda t: learned[t])
    tokens += [f"{letter}</w>" for letter in sorted(alphabet) if f"{letter}</w>" not in learned]
    vocab = {token: i for i, token in enumerate([*tokens, START, END])}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=MAX_TOKENS)


def _merges(learner: Tokenizer) -> list:
    import json

    return json.loads(learner.to_str())["model"]["merges"]
