"""Prompts that are chosen anew for each image: by the seed, within what is written, recorded."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.errors import BadPreset
from studio.preset import validate
from studio.preset.sweep import cells, parse_axis
from studio.preset.variants import chosen, every_text, names, text_of, varies
from studio.ui.editor.wildcards import prompt_choices, wildcard_names


@pytest.fixture(autouse=True)
def wildcards(studio_home: Path) -> Path:
    folder = studio_home / "wildcards"
    (folder / "things").mkdir(parents=True)
    (folder / "hat.txt").write_text("cap\n\nbonnet\n")
    (folder / "things/deep.txt").write_text("a __hat__\n")
    (folder / "empty.txt").write_text("\n# nothing\n")
    (folder / "my hat.txt").write_text("fez\n")
    (folder / "loop.txt").write_text("x __loop__\n")
    (folder / "broken.txt").write_text("x __nothing__\n")
    (folder / "lists.yaml").write_text("colour:\n  - red\n  - blue\n")
    return folder


@pytest.mark.parametrize(
    ("prompt", "allowed"),
    [
        ("a {red|blue} car", {"a red car", "a blue car"}),
        ("{a|{b|c}}", {"a", "b", "c"}),
        ("a __hat__!", {"a cap!", "a bonnet!"}),
        ("__things/deep__", {"a cap", "a bonnet"}),
        ("{__hat__|x}", {"cap", "bonnet", "x"}),
        ("__colour__", {"red", "blue"}),
        ("{2$$ and $$a|b}", {"a and b", "b and a"}),
        ("(a {b|c}:1.2) [d|e] AND {f} # g", {f"(a {x}:1.2) [d|e] AND {{f}} # g" for x in "bc"}),
    ],
)
def test_every_choice_is_one_of_those_written(prompt: str, allowed: set[str]) -> None:
    assert varies(prompt)
    assert {text_of(prompt, seed) for seed in range(24)} == allowed
    assert text_of(prompt, 7) == text_of(prompt, 7)


def test_choices_are_even_and_weights_count() -> None:
    counts = Counter(text_of("{a|b}", seed) for seed in range(200))
    assert 72 < counts["a"] < 128  # four standard deviations
    counts = Counter(text_of("{0.9::a|0.1::b}", seed) for seed in range(200))
    assert 163 < counts["a"] < 197


@pytest.mark.parametrize(
    "prompt",
    ["plain", r"\{a|b\}", "{word}", "{{word}}", "a | b", r"\__hat__", "_x_", "{a|b", "a_b__c"],
)
def test_other_text_stays(prompt: str) -> None:
    assert not varies(prompt) and text_of(prompt, 1) == prompt


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("__none__", "no wildcard 'none'.*broken, colour, empty, hat"),
        ("__../../etc/passwd__", "no wildcard"),
        ("__broken__", "no wildcard 'nothing'"),
        ("__empty__", "wildcard 'empty' holds no choice yet"),
        ("__loop__", "leads back to itself"),
        ("{" * 12 + "a|b" + "}" * 12, "more than 10 deep"),
        ("{a|b}" * 300, "300 choices"),
        ("{${x}|${y}}", "cannot be read"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_one_line(prompt: str, reason: str) -> None:
    start = time.process_time()
    with pytest.raises(BadPreset, match=reason) as caught:
        text_of(prompt, 1, "rows.3.prompt")
    assert caught.value.field == "rows.3.prompt" and "\n" not in str(caught.value)
    assert time.process_time() - start < 4


def test_where_the_first_wildcard_is_put_is_said(wildcards: Path) -> None:
    shutil.rmtree(wildcards)
    said = r"no wildcard 'hat', nor any other yet; a file such as wildcards/hat\.txt"
    with pytest.raises(BadPreset, match=said):
        text_of("a __hat__", 1, "rows.0.prompt")


def test_rows_of_one_prompt_have_one_text() -> None:
    rows = [
        {"prompt": "a {red|blue|green} car", "weight": 3.0, "reference": {"prompt": "a {x|y}"}},
        {"prompt": "a {red|blue|green} car", "weight": 1.0},
        {"prompt": "{off|on}", "enabled": False},
    ]
    preset = validate({"rows": rows})
    found = [chosen(preset, seed) for seed in range(16)]
    assert all(one.rows[0].prompt == one.rows[1].prompt for one in found)
    assert len({one.rows[0].prompt for one in found}) == 3
    assert {one.rows[0].reference.prompt for one in found} == {"a x", "a y"}  # type: ignore[union-attr]
    assert all(one.rows[2].prompt == "{off|on}" for one in found)


def test_wildcards_are_listed(wildcards: Path) -> None:
    assert names() == ["broken", "colour", "empty", "hat", "loop", "things/deep"]
    (wildcards / "no name.txt").write_text("x\n")  # which no prompt can write
    (wildcards / "größe.txt").write_text("x\n")
    assert wildcard_names({})["names"] == [*names()] == sorted({*names()})
    assert "größe" in names() and "no name" not in names()
    shutil.rmtree(wildcards)
    assert wildcard_names({}) == {"names": []}


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("a cat", ["a cat"]),
        ("a {cat|dog}{, red|}", ["a cat, red", "a cat", "a dog, red", "a dog"]),
        ("{a|{b|c}}", ["a", "b", "c"]),
        (
            "__things/deep__, __colour__",
            ["a bonnet, blue", "a bonnet, red", "a cap, blue", "a cap, red"],
        ),
        ("{a|a} {x}", ["a {x}"]),
        (r"\{a|b\} __hat__", [r"\{a|b\} bonnet", r"\{a|b\} cap"]),
    ],
)
def test_every_text_that_a_prompt_can_become(prompt: str, texts: list[str]) -> None:
    assert every_text(prompt, 4) == texts
    assert prompt_choices({"prompt": prompt}) == {"texts": texts}
    assert set(texts) >= {text_of(prompt, seed) for seed in range(20)}


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("{a|b} {c|d} {e|f}", "more than 4 combinations"),
        ("{a|b|c|d|e}", "more than 4 combinations"),
        ("__loop__", "back to itself"),
        ("__broken__", "no wildcard 'nothing'"),
        ("__nobody__", "no wildcard 'nobody'"),
    ],
)
def test_what_has_too_many_or_cannot_be_read_is_refused(prompt: str, words: str) -> None:
    with pytest.raises(BadPreset, match=words):
        every_text(prompt, 4)


def test_what_is_refused_is_said_to_the_page() -> None:
    assert "more than 2000" in prompt_choices({"prompt": "{a|b|c|d}" * 8})["error"]


def test_rows_of_one_prompt_have_one_text_in_a_sweep_over_its_choices() -> None:
    prompts = ["{cat|dog}", "{cat|dog}", "{cat|dog} at sea", "a tree", "a tree"]
    preset = validate({"rows": [{"prompt": text} for text in prompts]})

    def swept(*axes: str) -> list[list[str]]:
        made = cells(preset, *(parse_axis(axis, "") for axis in axes))
        return [[row.prompt for row in cell.preset.rows] for cell in made]

    rest = prompts[2:]
    assert swept("rows.0.prompt=cat,dog") == [["cat", "cat", *rest], ["dog", "dog", *rest]]
    own = swept("rows.0.prompt=cat", "rows.1.prompt=owl")
    assert own == [["cat", "owl", *rest]]
    assert swept("rows.4.prompt=x") == [[*prompts[:4], "x"]]  # without choices each is its own


def test_as_much_text_as_a_sweep_reads_is_built_and_no_more() -> None:
    assert "has 4001 characters; at most 4000" in prompt_choices({"prompt": "a" * 4001})["error"]
    long = "{a|b}" * 10 + " " + "x" * 3900
    refused = prompt_choices({"prompt": long})["error"]
    assert "has more than 20000 characters in the combinations of its choices" in refused
    assert len(prompt_choices({"prompt": "{a|b}" * 10})["texts"]) == 1024


@pytest.fixture
def eager() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager")
def test_threads_choose_at_the_same_time_as_the_parser_is_new() -> None:
    from dynamicprompts.parser import parse

    texts: list[str] = []

    def choose(start: threading.Barrier) -> None:
        start.wait()
        texts.append(text_of("a {red|{blue|green}} car", 3))

    text_of("{a|b}", 1)  # what is imported is there
    for _ in range(30):
        parse._parser_cache.clear()
        start = threading.Barrier(16)
        threads = [threading.Thread(target=choose, args=(start,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(texts) == 30 * 16
    assert len(set(texts)) == 1
