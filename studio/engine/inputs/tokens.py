"""Prompts as tokens: windows beyond the tower's length, ``(word:1.2)``, and words of one row only.

A text tower reads windows of a fixed length (77 tokens for CLIP). A longer prompt is cut into
windows, each framed by the tower's own marks, and their states follow one another along the token
axis; ``BREAK`` begins a new window. A weight ``w`` moves a token's state away from what the empty prompt has at its place,
``s ← s_∅ + w·(s − s_∅)``, which leaves weight 1 exactly as it was.

Learned words never enter a tokenizer: they get ids above the tower's vocabulary, and a hook gives
those ids their vectors while a prompt of their row is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from studio.errors import IncompatibleModels
from studio.preset.prompts import BREAK, weighted_spans


@dataclass(frozen=True)
class Words:
    """Learned words: for each its vectors per tower, ``{word: {tower: (vectors, width)}}``."""

    vectors: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)

    def of(self, tower: str) -> Mapping[str, Tensor]:
        """Word → (vectors, width) for one tower."""
        return {word: parts[tower] for word, parts in self.vectors.items() if tower in parts}

    def tensors(self) -> list[Tensor]:
        """All vectors, for counting bytes."""
        return [t for parts in self.vectors.values() for t in parts.values()]


NO_WORDS = Words()


@dataclass(frozen=True)
class Windows:
    """One prompt cut for a tower: ``ids``, ``weights`` and ``mask``, each (windows, length)."""

    ids: Tensor
    weights: Tensor
    mask: Tensor


class Reader:
    """Cuts prompts for one tokenizer and its tower.

    Args:
        tokenizer: of transformers, with start, end and padding marks.
        encoder: the tower, whose positions bound the window.
        words: learned words that the prompts may hold.
    """

    def __init__(self, tokenizer: Any, encoder: nn.Module, words: Mapping[str, Tensor]) -> None:
        self.tokenizer = tokenizer
        positions = int(getattr(encoder.config, "max_position_embeddings", 77))
        self.length = min(int(tokenizer.model_max_length), positions)
        first = _table(encoder).num_embeddings
        self.ids: dict[str, list[int]] = {}
        for word, vectors in words.items():
            self.ids[word.lower()] = list(range(first, first + len(vectors)))
            first += len(vectors)
        # A longer word is looked for first, so that <cat-toy> is not read as <cat>.
        known = sorted(self.ids, key=len, reverse=True)
        self.pattern = re.compile(
            "(" + "|".join(rf"(?<!\w){re.escape(w)}(?!\w)" for w in known) + ")"
            if known
            else r"(?!)",
            re.IGNORECASE,
        )

    def tokens(self, prompt: str) -> list[tuple[int, float]]:
        """Token ids with their weights, without marks."""
        return [token for part in self._parts(prompt) for token in part]

    def _parts(self, prompt: str) -> list[list[tuple[int, float]]]:
        """The tokens before, between and after each ``BREAK``."""
        found: list[list[tuple[int, float]]] = [[]]
        for text, weight in weighted_spans(prompt):
            for number, part in enumerate(BREAK.split(text)):
                if number:
                    found.append([])
                for piece in self.pattern.split(part):
                    ids = self.ids.get(piece.lower()) if piece else []
                    if ids is None:
                        ids = self.tokenizer(piece, add_special_tokens=False).input_ids
                    found[-1] += [(token, weight) for token in ids]
        return found

    def _cut(self, prompt: str) -> list[list[tuple[int, float]]]:
        """The tokens of each window. A ``BREAK`` ends one, full or not; at the end it ends none."""
        parts, room = self._parts(prompt), self.length - 2
        if len(parts) > 1 and not parts[-1]:
            parts.pop()
        return [part[i : i + room] for part in parts for i in range(0, max(1, len(part)), room)]

    def spans(self, prompt: str) -> int:
        """Windows that ``prompt`` fills; at least one."""
        return len(self._cut(prompt))

    def windows(self, prompt: str, spans: int = 1) -> Windows:
        """``prompt`` in at least ``spans`` windows, padded as the tower was trained."""
        parts, room = self._cut(prompt), self.length - 2
        start, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        pad = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else end
        ids, weights, mask = [], [], []
        for part in [*parts, *[[]] * (spans - len(parts))]:
            rest = room - len(part)
            ids.append([start, *(token for token, _ in part), end, *[pad] * rest])
            weights.append([1.0, *(weight for _, weight in part), 1.0, *[1.0] * rest])
            mask.append([1] * (len(part) + 2) + [0] * rest)
        return Windows(torch.tensor(ids), torch.tensor(weights), torch.tensor(mask))


def _table(encoder: Any) -> nn.Embedding:
    """A tower's token embeddings."""
    return encoder.get_input_embeddings()


@contextmanager
def knowing(encoder: nn.Module, words: Mapping[str, Tensor], name: str) -> Iterator[None]:
    """Inside the ``with``, ids above the tower's vocabulary are the vectors of ``words``.

    Raises:
        IncompatibleModels: vectors of another width than the tower's; names the word.
    """
    table = _table(encoder)
    for word, vectors in words.items():
        if vectors.shape[1] != table.embedding_dim:
            raise IncompatibleModels(
                f"the word {word!r} was learned for another text encoder: its vectors are "
                f"{vectors.shape[1]} wide, those of {name} {table.embedding_dim}"
            )
    if not words:
        yield
        return
    learned = torch.cat(list(words.values())).to(table.weight)
    size = table.num_embeddings

    def clamp(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        seen.append(args[0])
        return (args[0].clamp(max=size - 1), *args[1:])

    def place(_module: nn.Module, _args: Any, output: Tensor) -> Tensor:
        ids = seen.pop()
        known = (ids >= size)[..., None]
        return torch.where(known, learned[(ids - size).clamp(min=0)], output)

    seen: list[Tensor] = []
    handles = [table.register_forward_pre_hook(clamp), table.register_forward_hook(place)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def weighted(states: Tensor, empty: Tensor, weights: Tensor) -> Tensor:
    """``s_∅ + w·(s − s_∅)``, token by token.

    Args:
        states: (windows, length, width). empty: the empty prompt's, (1, length, width).
        weights: (windows, length).
    """
    w = weights.to(states)[..., None]
    return torch.where(w == 1, states, empty + w * (states - empty))


def as_one(states: Tensor, prompts: int) -> Tensor:
    """Windows (prompts·windows, length, width) of equal number in a row: (prompts, tokens, width)."""
    return states.reshape(prompts, -1, states.shape[-1])


def widest(spans: Sequence[int]) -> int:
    """The number of windows to which all are padded."""
    return max(spans, default=1)
