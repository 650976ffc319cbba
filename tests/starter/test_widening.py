"""New words for a text tower that is there: what it knew of the old ones stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CLIPTextModel, CLIPTokenizer

from studio.starter.common import write_json
from studio.starter.stages import clip, widening
from studio.starter.stages import tokenizer as bpe

OLD = ["an apple and a car in flat style"] * 9
NEW = [*OLD, *["a helicopter above an apple"] * 9]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    words = bpe.train(OLD)
    words.save_pretrained(tmp_path / "tokenizer")
    torch.manual_seed(0)
    model = clip.build(len(words), words.bos_token_id, words.eos_token_id, 48, 40, 1)
    clip.save_text_encoder(model, tmp_path)
    write_json({"steps": 1}, tmp_path / "figures" / "ground.json")
    monkeypatch.setattr(widening, "corpus", lambda: iter(NEW))
    return tmp_path


def states(work: Path, text: str) -> torch.Tensor:
    """The tower's states of a caption's own tokens, by transformers."""
    words = CLIPTokenizer.from_pretrained(work / "tokenizer")
    tower: Any = CLIPTextModel.from_pretrained(work / "text_encoder")
    with torch.no_grad():
        ids = words(text, return_tensors="pt").input_ids
        return tower.eval()(input_ids=ids).last_hidden_state[0]


def test_old_captions_keep_their_states_and_new_words_are_one_token(work: Path) -> None:
    text = "an apple and a car in flat style"
    before = states(work, text)
    old = CLIPTokenizer.from_pretrained(work / "tokenizer")
    assert widening.unknown_words(old) == ["above", "helicopter"]
    widening.widen(work)
    new = CLIPTokenizer.from_pretrained(work / "tokenizer")
    assert not widening.unknown_words(new) and len(new) > len(old)
    assert torch.allclose(states(work, text), before, atol=1e-5)
    assert not (work / "figures" / "ground.json").exists(), "it is to be grounded again"


def test_a_tokenizer_that_knows_every_word_stays(work: Path) -> None:
    widening.widen(work)
    kept = (work / "tokenizer" / "tokenizer.json").read_bytes()
    write_json({"steps": 2}, work / "figures" / "ground.json")
    widening.widen(work)
    assert (work / "tokenizer" / "tokenizer.json").read_bytes() == kept
    assert (work / "figures" / "ground.json").exists()
