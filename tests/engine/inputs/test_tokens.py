"""Prompts as tokens: weights, windows beyond the tower's length, and words of one row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from studio.engine.families import family_named
from studio.engine.inputs.tokens import Words
from studio.errors import IncompatibleModels
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from studio.preset.prompts import mentions, weighted_spans
from tests.support import tiny, tiny_pictures
from tests.support.tiny_pictures import difference

LONG = "a cat that sits on a mat and looks at the moon"  # far more than 24 tokens of one letter


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat", [("a cat", 1.0)]),
        ("", []),
        ("a (red:1.5) cat", [("a ", 1.0), ("red", 1.5), (" cat", 1.0)]),
        ("a (red) [cat]", [("a ", 1.0), ("red", 1.1), (" ", 1.0), ("cat", 1 / 1.1)]),
        ("((a):2) b", [("a", 2.2), (" b", 1.0)]),
        (r"a \(red:1.5\) cat", [("a (red:1.5) cat", 1.0)]),
        ("a ) b (", [("a ) b (", 1.0)]),
        ("time: 1.5)", [("time: 1.5)", 1.0)]),
        ("(a (b:0.5) c:2)", [("a ", 2.0), ("b", 1.0), (" c", 2.0)]),
        ("(a:-1)", [("a", -1.0)]),
    ],
)
def test_attention_weights_as_the_web_uis_write_them(
    prompt: str, expected: list[tuple[str, float]]
) -> None:
    found = weighted_spans(prompt)
    assert [text for text, _ in found] == [text for text, _ in expected]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in expected])


@pytest.mark.parametrize(
    ("prompt", "word", "expected"),
    [
        ("a <cat> here", "<cat>", True),
        ("A <CAT>, big", "<cat>", True),
        ("badhand", "bad", False),
        ("x bad-hand y", "bad-hand", True),
        ("", "x", False),
        ("sks", "sks", True),
    ],
)
def test_words_are_found_whole(prompt: str, word: str, expected: bool) -> None:
    assert mentions(prompt, word) is expected


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "base")
    (folder / "embeddings").mkdir()
    generator = torch.Generator().manual_seed(4)

    def vectors(count: int, width: int = tiny.WIDTH) -> torch.Tensor:
        return torch.randn(count, width, generator=generator) * 3

    save_file({"<cat>": vectors(1)[0]}, folder / "embeddings/one.safetensors")
    save_file({"<dog>": vectors(3)}, folder / "embeddings/many.safetensors")
    save_file({"emb_params": vectors(2, 768)}, folder / "embeddings/easynegative.safetensors")
    save_file(
        {"clip_l": vectors(1, 768), "clip_g": vectors(1, 1280)},
        folder / "embeddings/pair.safetensors",
    )
    save_file({"<wide>": vectors(1, 99)}, folder / "embeddings/wide.safetensors")
    save_file({"weights": vectors(1, 99)}, folder / "none.safetensors")  # any file at all
    (folder / "embeddings/virus.pt").write_bytes(b"\x80\x04cos\nsystem\n")
    return folder


@pytest.fixture(scope="module")
def text(root: Path) -> torch.nn.Module:
    entry = Library((root,))["base"]
    return family_named("sd1").load_text(entry, torch.device("cpu"), torch.float32)


def by_hand(text: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    """States of one window given as token ids without marks."""
    tokenizer = text.tokenizer
    row = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    row += [tokenizer.pad_token_id] * (24 - len(row))
    with torch.no_grad():
        return text(torch.tensor([row])).last_hidden_state[0]


def test_plain_prompts_are_tokenised_as_transformers_does(text: torch.nn.Module) -> None:
    family = family_named("sd1")
    for prompt in ("", "a cat", "a cat, red & blue  on\ta mat"):
        tokens = text.tokenizer([prompt], padding="max_length", max_length=24, return_tensors="pt")
        expected = text(tokens.input_ids).last_hidden_state
        assert torch.equal(family.encode(text, [prompt]).states, expected)


def test_long_prompts_are_read_in_windows(text: torch.nn.Module) -> None:
    family = family_named("sd1")
    ids = text.tokenizer(LONG, add_special_tokens=False).input_ids
    assert family.spans(text, LONG) == -(-len(ids) // 22) == 2
    states = family.encode(text, [LONG, "a"]).states
    assert states.shape == (2, 48, tiny.WIDTH)
    for number in range(2):
        window = by_hand(text, ids[22 * number : 22 * (number + 1)])
        assert torch.allclose(states[0, 24 * number : 24 * (number + 1)], window, atol=1e-6)
    short = text.tokenizer("a", add_special_tokens=False).input_ids
    assert torch.allclose(
        states[1], torch.cat([by_hand(text, short), by_hand(text, [])]), atol=1e-6
    )


@pytest.mark.parametrize(
    ("prompt", "windows"),
    [
        ("a cat BREAK a dog", ["a cat", "a dog"]),
        ("a cat BREAK", ["a cat"]),
        ("BREAK a cat", ["", "a cat"]),
        ("a BREAKBREAK cat", ["a BREAKBREAK cat"]),
        ("(a cat BREAK a dog:1.0)", ["a cat", "a dog"]),
    ],
)
def test_break_begins_a_window(text: torch.nn.Module, prompt: str, windows: list[str]) -> None:
    """As the web UI: what stands before is padded to a whole window; none is begun at the end."""
    family = family_named("sd1")
    assert family.spans(text, prompt) == len(windows)
    expected = [
        by_hand(text, text.tokenizer(one, add_special_tokens=False).input_ids) for one in windows
    ]
    states = family.encode(text, [prompt]).states[0]
    assert torch.allclose(states, torch.cat(expected), atol=1e-6)
    long = family.encode(text, [f"{LONG} BREAK {prompt}"]).states[0]
    assert torch.allclose(long[48:], torch.cat(expected), atol=1e-6)


def test_a_weight_moves_a_token_away_from_the_empty_prompt(text: torch.nn.Module) -> None:
    family = family_named("sd1")
    plain, empty = family.encode(text, ["a b c"]).states[0], family.encode(text, [""]).states[0]
    found = family.encode(text, ["a (b:1.5) c"]).states[0]
    expected = plain.clone()
    expected[2] = empty[2] + 1.5 * (plain[2] - empty[2])  # the start mark, a, then b
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.equal(family.encode(text, ["a (b:1) c"]).states[0], plain)


def make(root: Path, rows: list[dict]) -> np.ndarray:
    return tiny_pictures.ours(root, rows=rows)


def theirs(root: Path, **arguments: object) -> np.ndarray:
    pipe = tiny.load(root / "base")
    for name in ("one", "many"):
        pipe.load_textual_inversion(root / "embeddings", weight_name=f"{name}.safetensors")
    return tiny_pictures.theirs(pipe, **arguments)


@pytest.mark.parametrize("prompt", ["a <cat> on", "<dog>", "the <dog>, a <cat>"])
def test_learned_words_are_diffusers_textual_inversion(root: Path, prompt: str) -> None:
    model = {"embeddings": ["embeddings/one", "embeddings/many"]}
    ours = make(root, [{"prompt": prompt, "weight": 4.0, "model": model}])
    assert difference(ours, theirs(root, prompt=prompt)) <= 1
    plain = make(root, [{"prompt": prompt, "weight": 4.0}])
    assert difference(ours, plain) > 1


def test_a_word_lives_in_its_row_only(root: Path) -> None:
    """The same text in two rows: only the one with the embedding knows the word."""
    rows = [
        {"prompt": "<cat>", "weight": 4.0, "model": "embeddings/one"},
        {"prompt": "<cat>", "weight": -3.0},
    ]
    plan = compile_plan(validate({"base": "base", "rows": rows}), Library((root,)))
    assert len(plan.passes) == 2 and {p.condition.words for p in plan.passes} == {
        (),
        ("embeddings/one",),
    }
    pipe = tiny.load(root / "base")
    literal = pipe.encode_prompt("<cat>", "cpu", 1, False)[0]
    pipe.load_textual_inversion(root / "embeddings", weight_name="one.safetensors")
    learned = pipe.encode_prompt("<cat>", "cpu", 1, False)[0]
    expected = theirs(root, prompt_embeds=learned, negative_prompt_embeds=literal)
    assert difference(make(root, rows), expected) <= 1


def test_a_word_that_the_prompt_does_not_hold_costs_nothing(root: Path) -> None:
    rows = [{"prompt": "a", "model": "embeddings/one"}, {"prompt": "a"}]
    plan = compile_plan(validate({"base": "base", "rows": rows}), Library((root,)))
    assert [p.condition.words for p in plan.passes] == [(), ()]


def test_the_library_reads_words_from_headers(root: Path) -> None:
    library = Library((root,))
    assert {e.id: (e.words, e.family) for e in library.entries() if e.kind == "embedding"} == {
        "embeddings/one": (("<cat>",), ""),
        "embeddings/many": (("<dog>",), ""),
        "embeddings/easynegative": (("easynegative",), "sd1"),
        "embeddings/pair": (("pair",), "sdxl"),
        "embeddings/wide": (("<wide>",), ""),
    }
    refused = {e.id: (e.kind, e.problem) for e in library.refused()}
    assert refused["embeddings/virus"][0] == "embedding"
    assert "can run code" in refused["embeddings/virus"][1]


@pytest.mark.parametrize(
    ("name", "prompt", "told"),
    [
        ("embeddings/pair", "pair", "for Stable Diffusion XL"),
        ("embeddings/wide", "<wide>", "99 wide, those of text_encoder 16"),
        ("embeddings/virus", "x", "is a pickle"),
        ("base", "x", "holds no learned word"),
    ],
)
def test_words_that_do_not_fit_are_refused(root: Path, name: str, prompt: str, told: str) -> None:
    with pytest.raises(IncompatibleModels, match=told) as caught:
        make(root, [{"prompt": prompt, "model": {"embeddings": [name]}}])
    assert caught.value.field == "rows.0.model"


def test_no_hook_stays_after_an_error(text: torch.nn.Module) -> None:
    words = Words({"x": {"text_encoder": torch.zeros(1, tiny.WIDTH + 1)}})
    with pytest.raises(IncompatibleModels):
        family_named("sd1").encode(text, ["x"], words)
    table = text.get_input_embeddings()
    assert not table._forward_hooks and not table._forward_pre_hooks
