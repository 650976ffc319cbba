"""What means nothing here is answered with a hint; what means something is not."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest

from studio.preset.prompt_hints import HINTS, hints, served

TYPED = {
    "lora": ["a <lora:hero:0.8> cat", "<LyCO:x>"],
    "hypernetwork": ["<hypernet:x:1>"],
    "tag": [
        *("<segment:face>", "<random:a,b>", "<object[1]:x>", "<alternate:a,b>", "<alt:a|b>"),
        *("<fromto[0.5]:a,b>", "<repeat[2]:a>", "<comment:a>", "a <break> b", "<trigger>"),
        *("<p:mine>", "<videoswap>"),
    ],
    "embedding": ["embedding:bad"],
    "compel": ["a cat++ here", "(a b)1.2", "dog--, x"],
    "numbered": ["1.2::cat::"],
    "braces": ["a {cat}", "{{x}}"],
    "place": ["{prompt}, in ink"],
    "unclosed": ["a {red|blue car", "{a|b} {c|d"],
    "wildcard": [
        "a __my hat__",
        "__big red hat__, x",
        "__große hüte__",
        "__hüte groß__",
        "a __قبعة كبيرة__",
    ],
    "flags": ["a cat --ar 16:9"],
    "comment": ["a cat # sitting", "# mine\na cat"],
    "negative": ["a cat Negative prompt: dog"],
    "late": ["a [word:1.2]"],
}
MEANT = [
    "a (cat:1.2) [dog] AND a bird:0.5",
    "[cat:dog:0.5] [a|b] BREAK {red|blue} {2$$a|b} __hat__ <hero>",
    r"\{a\} \(b\)",
    r"\{a|b",
    "__hat__ and __cap__, __big_hat__ x",
    "__hüte__ und ein __groß__, __قبعة__ و __بيت__",
    "code-like text, 12:30, well-known",
    "the #1 cat, C# and a #tag",
    "a [word:0.5] and [x:10]",
    "Steps: 20, Sampler: DPM++ 2M, DPM++, a cat",
]


def test_every_hint_has_an_example() -> None:
    assert TYPED.keys() == HINTS.keys()


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in TYPED.items() for t in texts])
def test_habits_are_answered(name: str, text: str) -> None:
    assert HINTS[name].text in hints(text)


def test_a_style_s_place_is_no_weight() -> None:
    assert hints("{prompt}, in ink") == (HINTS["place"].text,)


@pytest.mark.parametrize("text", MEANT)
def test_what_is_meant_is_not(text: str) -> None:
    assert hints(text) == ()


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_the_page_reads_the_patterns_as_python_does() -> None:
    texts = [*(text for given in TYPED.values() for text in given), *MEANT]
    script = (
        "const [hints, texts] = JSON.parse(process.argv[1]); console.log(JSON.stringify(texts.map("
        "(text) => hints.filter(([p]) => new RegExp(p, 'i').test(text)).map(([, hint]) => hint))))"
    )
    given = json.dumps([served(), texts])
    run = subprocess.run(["node", "-e", script, given], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [list(hints(text)) for text in texts]


def test_hostile_text_is_read_in_time() -> None:
    start = time.process_time()
    for piece in (
        "<lora:",
        "1::",
        "{",
        "[a:",
        "a+",
        ")",
        " --",
        "embedding",
        "{a|",
        "|",
        "__a ",
        "_",
    ):
        hints(piece * 4000)
    assert time.process_time() - start < 4


def test_a_choice_that_is_being_typed_is_no_mistake_yet() -> None:
    """Every text on the way to one that is meant shows only what a finished text can show."""
    late = {text for _, text, finished in served() if finished}
    choice = "a {red|blue|green} car"
    shown = {text for end in range(len(choice)) for text in hints(choice[:end])}
    assert shown == late == {HINTS["unclosed"].text}
